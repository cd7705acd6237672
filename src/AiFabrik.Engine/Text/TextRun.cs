namespace AiFabrik.Engine.Text;

/// <summary>
/// A stretch of a rendering, <paramref name="Length"/> bytes long. Trusted text was written by the template itself
/// (its literals, <c>bos_token</c>, <c>eos_token</c>): only there a tokenizer may recognise control tokens.
/// Everything that came with the request is not trusted, whatever it spells.
/// </summary>
public readonly record struct TextRun(int Length, bool IsTrusted);
