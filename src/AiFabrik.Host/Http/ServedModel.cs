using AiFabrik.Engine.Models;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Http;

/// <summary>The model that the server answers with, and what belongs to it.</summary>
internal sealed class ServedModel : IDisposable
{
    public required string Id { get; init; }
    public required LoadedModel Loaded { get; init; }
    public required InferenceEngine Engine { get; init; }
    public required IDisposable Executor { get; init; }
    public required DateTimeOffset Created { get; init; }

    public byte[] IdUtf8 => _idUtf8 ??= System.Text.Encoding.UTF8.GetBytes(Id);
    private byte[]? _idUtf8;

    public Tokenizer Tokenizer => Loaded.Tokenizer;
    public ChatTemplateSet? Templates => Loaded.ChatTemplates;

    public void Dispose()
    {
        Engine.Dispose();
        Executor.Dispose();
        Loaded.Dispose();
    }
}
