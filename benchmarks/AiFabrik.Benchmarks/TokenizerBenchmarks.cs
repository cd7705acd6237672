using System.Text;
using AiFabrik.Benchmarks.Operations;
using AiFabrik.Engine.Text;
using BenchmarkDotNet.Attributes;

namespace AiFabrik.Benchmarks;

/// <summary>The default model's tokenizer on prose and on texts of one thing: time is linear in the text, and nothing is allocated.</summary>
[MemoryDiagnoser]
public class TokenizerBenchmarks
{
    private const int Bytes = 1 << 20;
    private static readonly TokenizerScratch Scratch = new();
    private byte[] _text = [];
    private int[] _ids = [];

    [Params("prose", "a", " ", "\n", "😀", "中国", "1")]
    public string Text { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        var unit = Text == "prose" ? File.ReadAllBytes(Path.Combine(DefaultModel.Root, "tests", "golden", "smollm2", "perplexity.txt")) : Encoding.UTF8.GetBytes(Text);
        _text = new byte[Bytes / unit.Length * unit.Length];
        for (var at = 0; at < _text.Length; at += unit.Length) unit.CopyTo(_text, at);
        _ids = new int[_text.Length + 16];
    }

    /// <summary>A megabyte of text to ids.</summary>
    [Benchmark]
    public int Encode() => DefaultModel.Instance.Tokenizer.TryEncode(_text, Scratch, _ids, out var count) ? count : throw new InvalidOperationException("the text does not fit");

    [GlobalCleanup]
    public void Cleanup() => Scratch.Clear();
}
