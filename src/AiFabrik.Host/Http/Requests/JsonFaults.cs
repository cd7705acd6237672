namespace AiFabrik.Host.Http.Requests;

/// <summary>Step 3, second half: what is told about a body that is no JSON object.</summary>
internal static class JsonFaults
{
    public static ApiError Check(ReadOnlySpan<byte> body, HttpLimits limits)
    {
        if (body.IsEmpty) return new(ApiErrorKind.InvalidJson, null, "The request has no body. Send a JSON object.");
        var check = new JsonCheck(body, limits.JsonDepthMax);
        var fault = check.Run();
        if (fault == JsonFault.None) return ApiError.None;
        var what = fault switch
        {
            JsonFault.Truncated => "ends too early",
            JsonFault.TooDeep => $"is nested deeper than {limits.JsonDepthMax} levels",
            JsonFault.InvalidUtf8 => "is not valid UTF-8",
            JsonFault.LoneSurrogate => "has an escape of half a surrogate pair",
            JsonFault.TrailingData => "goes on after its JSON object",
            JsonFault.NotAnObject => "is not a JSON object",
            _ => "is not valid JSON",
        };
        return new(ApiErrorKind.InvalidJson, null, $"The request's body {what} (at byte {check.Position}).");
    }
}
