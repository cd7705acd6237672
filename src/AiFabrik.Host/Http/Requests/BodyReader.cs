using System.Buffers;
using AiFabrik.Compute.Memory;
using Microsoft.AspNetCore.Http.Features;

namespace AiFabrik.Host.Http.Requests;

/// <summary>Step 3 of a request's way, first half: the body's bytes go once from the connection's wiping blocks into the request's arena.</summary>
internal static class BodyReader
{
    /// <summary>Reads the whole body to the arena's start.</summary>
    /// <returns>The body's length, or an error: too large (413), too slow (408), gone.</returns>
    public static async ValueTask<(int Length, ApiError Error)> ReadAsync(HttpContext http, ContentArena arena, HttpLimits limits)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (http.Request.ContentLength > limits.BodyBytesMax) return (0, TooLarge(limits));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(limits.BodySecondsMax));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, http.RequestAborted);
        arena.TryAllocate(0, out var start);
        var length = 0;
        try
        {
            while (true)
            {
                var result = await http.Request.BodyReader.ReadAsync(either.Token).ConfigureAwait(false);
                var buffer = result.Buffer;
                var take = (int)Math.Min(buffer.Length, int.MaxValue);
                if (length + (long)take > limits.BodyBytesMax || !arena.TryExtend(start, length, length + take))
                {
                    http.Request.BodyReader.AdvanceTo(buffer.End);
                    return (0, TooLarge(limits));
                }
                buffer.CopyTo(arena.Bytes(start + length, take));
                length += take;
                http.Request.BodyReader.AdvanceTo(buffer.End);
                if (result.IsCompleted) return (length, ApiError.None);
            }
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (0, TooLarge(limits));
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            return (0, TooSlow(limits));
        }
        catch (BadHttpRequestException)
        {
            return (0, new(ApiErrorKind.InvalidJson, null, "The request's body is not framed as HTTP says."));
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            return (0, TooSlow(limits));
        }
    }

    private static ApiError TooLarge(HttpLimits limits) =>
        new(ApiErrorKind.BodyTooLarge, null, $"The request's body is larger than {limits.BodyBytesMax} bytes. Send a shorter one.");

    private static ApiError TooSlow(HttpLimits limits) =>
        new(ApiErrorKind.BodyTooSlow, null, $"The request's body came slower than {limits.BodyBytesPerSecondMin} bytes a second or took longer than {limits.BodySecondsMax} seconds.");
}
