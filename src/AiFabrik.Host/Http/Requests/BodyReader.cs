using System.Buffers;
using System.Diagnostics;

namespace AiFabrik.Host.Http.Requests;

/// <summary>Step 3 of a request's way, first half: the body's bytes go once from the connection's wiping blocks into the request's arena.</summary>
internal static class BodyReader
{
    /// <summary>Reads the whole body to the arena's start and sets <see cref="RequestMemory.BodyLength"/>.</summary>
    /// <returns>None, or: too large (413), too slow (408), not framed as HTTP says (400). If the client is gone, anything.</returns>
    public static async ValueTask<ApiError> ReadAsync(HttpContext http, RequestMemory memory, HttpLimits limits)
    {
        if (http.Request.ContentLength > limits.BodyBytesMax) return TooLarge(limits);
        memory.ReserveBody((int)(http.Request.ContentLength ?? 0));
        memory.Body.TryAllocate(0, out _);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var started = Stopwatch.GetTimestamp();
        try
        {
            while (true)
            {
                deadline.CancelAfter(TimeLeft(started, memory.BodyLength, limits));
                var result = await http.Request.BodyReader.ReadAsync(deadline.Token).ConfigureAwait(false);
                var buffer = result.Buffer;
                var fits = memory.BodyLength + buffer.Length <= limits.BodyBytesMax;
                if (fits) Append(memory, buffer);
                http.Request.BodyReader.AdvanceTo(buffer.End);
                if (!fits) return TooLarge(limits);
                if (result.IsCompleted) return ApiError.None;
            }
        }
        catch (BadHttpRequestException e)
        {
            return e.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLarge(limits),
                StatusCodes.Status408RequestTimeout => TooSlow(limits),
                _ => new(ApiErrorKind.InvalidJson, null, "The request's body is not framed as HTTP says."),
            };
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            return TooSlow(limits);
        }
    }

    private static void Append(RequestMemory memory, ReadOnlySequence<byte> bytes)
    {
        var length = memory.BodyLength + (int)bytes.Length;
        memory.ReserveBody(length);
        memory.Body.TryExtend(0, memory.BodyLength, length);
        bytes.CopyTo(memory.Body.Bytes(memory.BodyLength, (int)bytes.Length));
        memory.BodyLength = length;
    }

    /// <summary>What came so far buys time for the rest: the grace period and a second for so many bytes, within the time for a whole body.</summary>
    private static TimeSpan TimeLeft(long started, int length, HttpLimits limits)
    {
        var seconds = Math.Min(limits.BodyGraceSeconds + length / (double)Math.Max(1, limits.BodyBytesPerSecondMin), limits.BodySecondsMax);
        var left = TimeSpan.FromSeconds(seconds) - Stopwatch.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private static ApiError TooLarge(HttpLimits limits) =>
        new(ApiErrorKind.BodyTooLarge, null, $"The request's body is larger than {limits.BodyBytesMax} bytes. Send a shorter one.");

    private static ApiError TooSlow(HttpLimits limits) =>
        new(ApiErrorKind.BodyTooSlow, null, $"The request's body came slower than {limits.BodyBytesPerSecondMin} bytes a second or took longer than {limits.BodySecondsMax} seconds.");
}
