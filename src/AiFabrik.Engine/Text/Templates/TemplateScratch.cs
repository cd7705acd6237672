using System.Runtime.InteropServices;
using System.Security.Cryptography;
using AiFabrik.Engine.Text.Templates;

namespace AiFabrik.Engine.Text;

/// <summary>
/// The memory of a rendering and its result. It is used for one rendering after another, by one thread at a time;
/// what a rendering gave stands until the next one or <see cref="Clear"/>, which zeroes everything that was used.
/// </summary>
public sealed class TemplateScratch : IDisposable
{
    private const int FirstRuns = 64;

    private TextRun[] _runs = GC.AllocateArray<TextRun>(FirstRuns, pinned: true);
    private int _runCount;
    private Failure _failure;

    internal Interpreter Interpreter { get; } = new();

    /// <summary>How the last rendering ended.</summary>
    public TemplateStatus Status { get; private set; }

    /// <summary>Why it failed, with <see cref="TemplateStatus.Failed"/>.</summary>
    public TemplateError Error => Status == TemplateStatus.Failed ? _failure.Error : TemplateError.None;

    /// <summary>Which bound was reached, with <see cref="TemplateStatus.LimitExceeded"/>.</summary>
    public TemplateLimit Limit => Status == TemplateStatus.LimitExceeded ? _failure.Limit : TemplateLimit.None;

    /// <summary>What is wrong with the request, with <see cref="TemplateStatus.InvalidRequest"/>.</summary>
    public TemplateField Field { get; private set; }

    /// <summary>The rendering, UTF-8; empty unless <see cref="Status"/> is <see cref="TemplateStatus.Ok"/>.</summary>
    public ReadOnlySpan<byte> Text => Status == TemplateStatus.Ok ? Interpreter.Out.Written : default;

    /// <summary>Who wrote <see cref="Text"/>, stretch by stretch: the lengths add up to its length.</summary>
    public ReadOnlySpan<TextRun> Runs => _runs.AsSpan(0, _runCount);

    /// <summary>The message of <c>raise_exception</c>, UTF-8, with <see cref="TemplateStatus.Refused"/>. It may hold text of the request.</summary>
    public ReadOnlySpan<byte> ErrorText => Status == TemplateStatus.Refused ? Interpreter.Bytes(_failure.Message) : default;

    internal TemplateStatus Render(TemplateProgram program, ReadOnlySpan<byte> requestJson, in TemplateOptions options)
    {
        Clear();
        Status = new Rendering(Interpreter, program).Render(requestJson, options, out TemplateField field, ref _failure);
        Field = field;
        if (Status == TemplateStatus.Ok) FindRuns();
        return Status;
    }

    private void FindRuns()
    {
        ReadOnlySpan<byte> trust = Interpreter.Out.WrittenTrust;
        while (trust.Length > 0)
        {
            int length = trust.IndexOfAnyExcept(trust[0]);
            if (length < 0) length = trust.Length;
            if (_runCount == _runs.Length)
            {
                TextRun[] larger = GC.AllocateArray<TextRun>(2 * _runs.Length, pinned: true);
                _runs.AsSpan().CopyTo(larger);
                _runs.AsSpan().Clear();
                _runs = larger;
            }

            _runs[_runCount++] = new TextRun(length, trust[0] != 0);
            trust = trust[length..];
        }
    }

    /// <summary>Zeroes everything that the last rendering used.</summary>
    public void Clear()
    {
        Interpreter.Clear();
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(_runs.AsSpan(0, _runCount)));
        _runCount = 0;
        _failure = default;
        Field = TemplateField.None;
        Status = TemplateStatus.Ok;
    }

    public void Dispose() => Clear();
}
