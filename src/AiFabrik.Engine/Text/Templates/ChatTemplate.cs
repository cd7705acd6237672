using System.Diagnostics.CodeAnalysis;
using System.Text;
using AiFabrik.Engine.Text.Templates;

namespace AiFabrik.Engine.Text;

/// <summary>
/// A model's chat template: Jinja as chat templates use it, in the environment of transformers
/// (<c>trim_blocks</c>, <c>lstrip_blocks</c>, the immutable sandbox, loop controls, the <c>generation</c> block).
/// Compiled once per model; rendering works on bytes, allocates nothing on the managed heap once its scratch has
/// grown, and tells for every byte whether the template or the request wrote it.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>The longest template source, in bytes.</summary>
    public const int SourceBytesMax = 1 << 20;

    private readonly byte[] _source;
    private readonly TemplateProgram _program;

    private ChatTemplate(byte[] source, TemplateProgram program)
    {
        _source = source;
        _program = program;
    }

    /// <summary>The template's source as it was given, UTF-8.</summary>
    public ReadOnlySpan<byte> Source => _source;

    /// <summary>Whether the template goes through the parts of a message's content itself.</summary>
    public bool HandlesContentParts => _program.HandlesContentParts;

    /// <summary>
    /// Compiles a template. <paramref name="error"/> is one sentence that names the line and the mistake; a template
    /// is no content.
    /// </summary>
    public static bool TryCompile(ReadOnlySpan<byte> source, [NotNullWhen(true)] out ChatTemplate? template, out string error)
    {
        template = null;
        error = "";
        if (source.Length > SourceBytesMax)
        {
            error = $"The chat template has {source.Length} bytes, more than {SourceBytesMax}.";
            return false;
        }

        if (!Utf8.IsValid(source))
        {
            error = "The chat template is not UTF-8.";
            return false;
        }

        try
        {
            template = new ChatTemplate(source.ToArray(), Parser.Parse(Encoding.UTF8.GetString(source)));
            return true;
        }
        catch (TemplateSyntaxException exception)
        {
            error = $"The chat template cannot be parsed: {exception.Message}.";
            return false;
        }
    }

    /// <summary>
    /// Renders a chat request. <paramref name="requestJson"/>: the body, a JSON object with messages, tools,
    /// documents, add_generation_prompt, continue_final_message and chat_template_kwargs; other keys are left alone.
    /// The result, whatever it is, is in <paramref name="scratch"/>.
    /// </summary>
    public TemplateStatus Render(ReadOnlySpan<byte> requestJson, in TemplateOptions options, TemplateScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        return scratch.Render(_program, requestJson, options);
    }
}

/// <summary>The templates of a model by name. Most have one, <c>default</c>; some have others, for tools for example.</summary>
public sealed class ChatTemplateSet
{
    private const string DefaultName = "default";
    private const string ToolUseName = "tool_use";

    private readonly Dictionary<string, ChatTemplate> _templates = new(StringComparer.Ordinal);

    /// <summary>The names, in no order.</summary>
    public IReadOnlyCollection<string> Names => _templates.Keys;

    /// <summary>Adds a template; one that has the name already is replaced.</summary>
    public void Add(string name, ChatTemplate template) => _templates[name] = template;

    /// <summary>
    /// The template of that name; without one <c>tool_use</c> if the request has tools and there is one, otherwise
    /// <c>default</c>, or the only one there is.
    /// </summary>
    public bool TryGet(string? name, bool hasTools, [NotNullWhen(true)] out ChatTemplate? template)
    {
        if (name is not null) return _templates.TryGetValue(name, out template);
        if (hasTools && _templates.TryGetValue(ToolUseName, out template)) return true;
        if (_templates.TryGetValue(DefaultName, out template)) return true;
        template = _templates.Count == 1 ? _templates.Values.First() : null;
        return template is not null;
    }
}
