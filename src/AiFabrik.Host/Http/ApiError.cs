namespace AiFabrik.Host.Http;

/// <summary>Everything that can end a request early.</summary>
internal enum ApiErrorKind
{
    None,
    InvalidJson,
    InvalidValue,
    MissingField,
    Unsupported,
    TemplateRefused,
    ContextLengthExceeded,
    ModelNotFound,
    RouteNotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    BodyTooLarge,
    BodyTooSlow,
    QueueFull,
    Draining,
    Internal,
}

/// <summary>
/// One error in OpenAI's shape: HTTP status, <c>type</c>, <c>param</c>, <c>code</c>, message. The message is made of the product's
/// own words, field names and limits; nothing of a request's content is in it.
/// </summary>
internal readonly record struct ApiError(ApiErrorKind Kind, string? Param, string Message)
{
    public static readonly ApiError None;

    public bool IsError => Kind != ApiErrorKind.None;

    public int Status => Row.Status;
    public string Type => Row.Type;
    public string? Code => Row.Code;

    /// <summary>Seconds after which trying again makes sense; 0: none named.</summary>
    public int RetryAfterSeconds => Kind is ApiErrorKind.QueueFull or ApiErrorKind.Draining ? 1 : 0;

    /// <summary>The one table from error to HTTP. Types and codes are those that OpenAI's clients know.</summary>
    private (int Status, string Type, string? Code) Row => Kind switch
    {
        ApiErrorKind.InvalidJson => (400, "invalid_request_error", "invalid_json"),
        ApiErrorKind.InvalidValue => (400, "invalid_request_error", "invalid_value"),
        ApiErrorKind.MissingField => (400, "invalid_request_error", "missing_required_parameter"),
        ApiErrorKind.Unsupported => (400, "invalid_request_error", "unsupported_value"),
        ApiErrorKind.TemplateRefused => (400, "invalid_request_error", "invalid_messages"),
        ApiErrorKind.ContextLengthExceeded => (400, "invalid_request_error", "context_length_exceeded"),
        ApiErrorKind.ModelNotFound => (404, "invalid_request_error", "model_not_found"),
        ApiErrorKind.RouteNotFound => (404, "invalid_request_error", "unknown_url"),
        ApiErrorKind.MethodNotAllowed => (405, "invalid_request_error", "method_not_allowed"),
        ApiErrorKind.UnsupportedMediaType => (415, "invalid_request_error", "unsupported_media_type"),
        ApiErrorKind.BodyTooLarge => (413, "invalid_request_error", "request_too_large"),
        ApiErrorKind.BodyTooSlow => (408, "invalid_request_error", "request_timeout"),
        ApiErrorKind.QueueFull => (429, "rate_limit_error", "queue_full"),
        ApiErrorKind.Draining => (503, "server_error", "shutting_down"),
        _ => (500, "server_error", "internal_error"),
    };

    public static ApiError Invalid(string param, string message) => new(ApiErrorKind.InvalidValue, param, message);

    public static ApiError Missing(string param) => new(ApiErrorKind.MissingField, param, $"Missing required parameter: '{param}'.");

    public static ApiError WrongType(string param, string expected) => new(ApiErrorKind.InvalidValue, param, $"Invalid type for '{param}': expected {expected}.");

    public static ApiError OutOfRange(string param, double low, double high) =>
        new(ApiErrorKind.InvalidValue, param, FormattableString.Invariant($"Invalid value for '{param}': must be between {low} and {high}."));
}
