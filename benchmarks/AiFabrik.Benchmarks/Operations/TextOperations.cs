using AiFabrik.Engine.Text;
using AiFabrik.Host.Commands.Model;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>Renders the default model's chat template.</summary>
internal sealed class RenderChatTemplate : Operation
{
    private readonly ChatTemplateSet _templates = ModelTemplates.Load(DefaultModel.Instance.Files)!;
    private readonly TemplateScratch _scratch = new();

    public override string Name => "render-chat-template";

    public override void Run()
    {
        var options = new TemplateOptions { Now = new DateTime(2026, 11, 24) };
        if (!_templates.TryGet(null, false, out var template) || template.Render(SampleRequest.Body, in options, _scratch) != TemplateStatus.Ok) throw new InvalidOperationException("the sample request is refused");
        _scratch.Clear();
    }

    protected override void Dispose(bool disposing)
    {
        _scratch.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>Tokenizes some kilobytes of prose.</summary>
internal sealed class TokenizeProse : Operation
{
    private readonly byte[] _text = File.ReadAllBytes(Path.Combine(DefaultModel.Root, "tests", "golden", "smollm2", "perplexity.txt"));
    private readonly TokenizerScratch _scratch = new();
    private readonly int[] _ids = new int[1 << 15];

    public override string Name => "tokenize-prose";

    public override void Run()
    {
        if (!DefaultModel.Instance.Tokenizer.TryEncode(_text, _scratch, _ids, out _)) throw new InvalidOperationException("the text does not fit");
    }

    protected override void Dispose(bool disposing)
    {
        _scratch.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>One token to text.</summary>
internal sealed class DecodeToken : Operation
{
    private readonly IncrementalDecoder _decoder = DefaultModel.Instance.Tokenizer.CreateDecoder(skipSpecial: true);
    private readonly byte[] _text = new byte[1024];
    private int _id = 100;

    public override string Name => "decode-token";

    public override void Run()
    {
        _id = (_id + 7919) % DefaultModel.Instance.Tokenizer.VocabSize;
        _decoder.TryAppend(_id, _text, out _);
    }
}
