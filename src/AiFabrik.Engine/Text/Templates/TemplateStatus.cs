namespace AiFabrik.Engine.Text;

/// <summary>How a rendering ended.</summary>
public enum TemplateStatus
{
    Ok,

    /// <summary>The template called <c>raise_exception</c>: its message is <see cref="TemplateScratch.ErrorText"/>.</summary>
    Refused,

    /// <summary>The request cannot be rendered by any template; <see cref="TemplateScratch.Field"/> names what is wrong.</summary>
    InvalidRequest,

    /// <summary>The template failed on this request; <see cref="TemplateScratch.Error"/> tells why.</summary>
    Failed,

    /// <summary>A bound was reached; <see cref="TemplateScratch.Limit"/> names it.</summary>
    LimitExceeded,
}

/// <summary>Why a template failed (what Python would have raised).</summary>
public enum TemplateError
{
    None,

    /// <summary>An undefined value was used.</summary>
    Undefined,

    /// <summary>An operation was given a value of the wrong type.</summary>
    Type,

    /// <summary>An operation was given a value that it has no result for; also a division by zero.</summary>
    Value,

    /// <summary>The sandbox forbids it: underscored attributes, methods that change their object.</summary>
    Security,

    /// <summary>An unknown filter or test was reached, or an attribute was set on something without attributes.</summary>
    Runtime,
}

/// <summary>Which bound of <see cref="TemplateLimits"/> was reached.</summary>
public enum TemplateLimit
{
    None,
    Steps,
    Depth,
    OutputBytes,
    ScratchBytes,
    StringBytes,
    ListItems,
    RangeItems,
    IntegerBits,
}

/// <summary>The part of a request that cannot be rendered.</summary>
public enum TemplateField
{
    None,
    Body,
    Messages,
    Content,
    Tools,
    Documents,
    AddGenerationPrompt,
    ContinueFinalMessage,
    ChatTemplateKwargs,
}
