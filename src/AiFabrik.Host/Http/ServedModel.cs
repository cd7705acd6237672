using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Http;

/// <summary>The model that the server answers with, and what belongs to it: all of it is disposed with this.</summary>
internal sealed class ServedModel(LoadedModel loaded, ChatTemplateSet? templates, IExecutor executor, InferenceEngine engine) : IDisposable
{
    public string Id => Loaded.Id;
    public byte[] IdUtf8 { get; } = System.Text.Encoding.UTF8.GetBytes(loaded.Id);
    public LoadedModel Loaded { get; } = loaded;
    public Tokenizer Tokenizer => Loaded.Tokenizer;
    public ChatTemplateSet? Templates { get; } = templates;
    public InferenceEngine Engine { get; } = engine;
    public DateTimeOffset Created { get; } = DateTimeOffset.UtcNow;

    /// <summary>BOS and EOS as templates see them.</summary>
    public ReadOnlyMemory<byte> BosText { get; } = loaded.Tokenizer.BosText.ToArray();
    public ReadOnlyMemory<byte> EosText { get; } = loaded.Tokenizer.EosText.ToArray();

    /// <summary>Bytes that one token adds to an answer at most.</summary>
    public int TokenBytesMax { get; } = loaded.Tokenizer.CreateDecoder().BytesPerCallMax;

    /// <summary>The control tokens of a chat that this template renders.</summary>
    public ControlSet ControlFor(ChatTemplate template) => _control.GetValue(template, t => Tokenizer.ControlFor(t.Source));

    private readonly System.Runtime.CompilerServices.ConditionalWeakTable<ChatTemplate, ControlSet> _control = [];

    public void Dispose()
    {
        Engine.Dispose();
        executor.Dispose();
        Loaded.Dispose();
    }
}
