using System.Globalization;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Models;

/// <summary>
/// Checks a model from its files to a short run, so that what isn't right is said before anybody serves it: one row a check.
/// </summary>
public sealed class ModelVerifier
{
    /// <summary>Rows of each matrix that are looked through for numbers that are none.</summary>
    private const int RowsPerMatrix = 64;

    /// <summary>Tokens of the short run: a prompt and what follows it.</summary>
    private const int PromptTokens = 16, NewTokens = 8;

    private readonly List<ModelVerifierRow> _rows = [];
    private readonly ModelVerifierHooks _hooks;

    private ModelVerifier(ModelVerifierHooks hooks) => _hooks = hooks;

    /// <summary>Runs all checks; the rows say what failed, nothing is thrown for it.</summary>
    public static IReadOnlyList<ModelVerifierRow> Verify(string path, ModelVerifierHooks? hooks = null, IProgress<ModelLoadProgress>? progress = null)
    {
        var verifier = new ModelVerifier(hooks ?? new ModelVerifierHooks());
        verifier.Run(path, progress);
        return verifier._rows;
    }

    private void Run(string path, IProgress<ModelLoadProgress>? progress)
    {
        ModelFiles? files = null;
        Check("structure", () => Structure(files = ModelFiles.Open(path, null, progress)));
        if (files is null) { SkipFrom("checksums"); return; }
        using (files)
        {
            Check("checksums", () => Checksums(files, progress));
            TransformerProgram? program = null;
            Check("shapes", () => Shapes(files, program = ArchitectureRegistry.Build(files.Config, files.Weights)));
            Check("numbers", () => Numbers(files.Weights));
            Tokenizer? tokenizer = null;
            Check("tokenizer", () => RoundTrip(files, tokenizer = ModelLoaderTokenizer.Load(files)));
            if (tokenizer is not null) Check("byte coverage", () => ByteCoverage.Check(tokenizer));
            if (program is null || tokenizer is null) { SkipFrom(tokenizer is null ? "byte coverage" : "chat template"); return; }
            var model = new LoadedModel(ModelLoader.IdOf(path), files, program, tokenizer);
            Check("chat template", () => _hooks.Templates is { } templates ? (ModelVerdict.Ok, templates(model)) : (ModelVerdict.Skipped, "no template engine was given"));
            Check("short run", () => _hooks.Executor is { } open ? ShortRun(program, open) : (ModelVerdict.Skipped, "no device was given"));
        }
    }

    private static readonly string[] Order = ["structure", "checksums", "shapes", "numbers", "tokenizer", "byte coverage", "chat template", "short run"];

    private void SkipFrom(string first)
    {
        foreach (var check in Order.SkipWhile(c => c != first)) Add(new ModelVerifierRow(check, ModelVerdict.Skipped, "an earlier check failed"));
    }

    private void Add(ModelVerifierRow row)
    {
        _rows.Add(row);
        _hooks.Report?.Invoke(row);
    }

    private void Check(string name, Func<(ModelVerdict Verdict, string Detail)> check)
    {
        ModelVerifierRow row;
        try
        {
            var (verdict, detail) = check();
            row = new ModelVerifierRow(name, verdict, detail);
        }
        catch (ModelFormatException e)
        {
            row = new ModelVerifierRow(name, ModelVerdict.Failed, e.Message);
        }
        Add(row);
    }

    private static (ModelVerdict, string) Structure(ModelFiles files)
    {
        var types = new SortedDictionary<WeightType, int>();
        var bytes = 0L;
        foreach (var tensor in Tensors(files.Weights))
        {
            types[tensor.Type] = types.GetValueOrDefault(tensor.Type) + 1;
            bytes += tensor.WeightBytes;
        }
        var format = files.Gguf is { } gguf ? $"GGUF version {gguf.Version}" : "safetensors";
        return (ModelVerdict.Ok, Text($"{format} in {files.Paths.Count} file(s), {types.Values.Sum()} tensors ({string.Join(", ", types.Select(t => Text($"{t.Value} {t.Key}")))}), {bytes / 1e6:0.0} MB"));
    }

    private static (ModelVerdict, string) Checksums(ModelFiles files, IProgress<ModelLoadProgress>? progress)
    {
        var lists = files.Paths.Any(p => File.Exists(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(p))!, ModelLoaderChecksums.ListName)));
        if (!lists) return (ModelVerdict.Skipped, $"no {ModelLoaderChecksums.ListName} beside the model");
        ModelLoaderChecksums.Start(files.Paths, ChecksumPolicy.Always, progress).GetAwaiter().GetResult();
        return (ModelVerdict.Ok, $"the files are those that {ModelLoaderChecksums.ListName} lists");
    }

    private static (ModelVerdict, string) Shapes(ModelFiles files, TransformerProgram program)
    {
        var c = files.Config;
        var used = program.Weights.Select(w => w.Data).ToHashSet();
        var unused = Tensors(files.Weights).Where(t => !used.Contains(t.Data) && !t.Name.StartsWith("rope_", StringComparison.Ordinal)).Select(t => t.Name).ToArray();
        var experts = c.NExperts > 0 ? Text($", {c.NExpertsUsed} of {c.NExperts} experts") : "";
        var detail = Text($"{c.Architecture}: {c.NLayers} layers, hidden {c.HiddenDim}, feed-forward {c.FfnDim}, {c.NHeads}/{c.NKvHeads} heads of {c.HeadDim}{experts}, vocabulary {c.VocabSize}, context {c.ContextLen}");
        return unused.Length == 0 ? (ModelVerdict.Ok, detail) : (ModelVerdict.Warning, Text($"{detail}; {unused.Length} tensors are not used, the first is {ModelText.Quote(unused[0])}"));
    }

    private static (ModelVerdict, string) Numbers(ModelWeights weights)
    {
        long looked = 0;
        foreach (var t in Tensors(weights))
        {
            var values = new float[t.Cols];
            var rows = (long)t.Rows * t.Experts;
            var step = Math.Max(1, rows / RowsPerMatrix);
            for (long row = 0; row < rows; row += step, looked++)
            {
                Dequantizer.Row(t, (int)(row / t.Rows), (int)(row % t.Rows), values);
                foreach (var v in values)
                    if (!float.IsFinite(v)) return (ModelVerdict.Failed, $"Tensor {ModelText.Quote(t.Name)} holds values that are not numbers.");
            }
        }
        return (ModelVerdict.Ok, Text($"all finite in {looked} rows of all tensors"));
    }

    /// <summary>Letters of several scripts, digits, spaces, an emoji of several code points: ids and back must give the same bytes.</summary>
    private static ReadOnlySpan<byte> Sample => "The quick brown fox, 12345.67 – naïve façade; Ελλάδα, Привет, 日本語 and 👩‍🔬 !\n\tx = [1, 2];"u8;

    private static (ModelVerdict, string) RoundTrip(ModelFiles files, Tokenizer tokenizer)
    {
        using var scratch = new TokenizerScratch();
        var ids = new int[Sample.Length + 64];
        if (!tokenizer.TryEncode(Sample, scratch, ids, out var count)) return (ModelVerdict.Failed, "The sample text has more tokens than bytes.");
        var decoder = tokenizer.CreateDecoder();
        var text = new byte[(count + 1) * decoder.BytesPerCallMax];
        var length = 0;
        for (var i = 0; i < count; i++)
        {
            if (ids[i] < 0 || ids[i] >= files.Config.VocabSize) return (ModelVerdict.Failed, Text($"The tokenizer gives the id {ids[i]}, which the model does not have."));
            if (!decoder.TryAppend(ids[i], text.AsSpan(length), out var written)) return (ModelVerdict.Failed, "A token decodes to more bytes than the tokenizer says.");
            length += written;
        }
        if (decoder.TryFlush(text.AsSpan(length), out var rest)) length += rest;
        var detail = Text($"{tokenizer.VocabSize} tokens; the sample of {Sample.Length} bytes becomes {count} ids");
        return text.AsSpan(0, length).SequenceEqual(Sample) ? (ModelVerdict.Ok, detail + " and comes back whole")
            : (ModelVerdict.Warning, detail + ", but does not come back byte for byte (a vocabulary without byte fallback, or a normaliser)");
    }

    private static (ModelVerdict, string) ShortRun(TransformerProgram program, Func<TransformerProgram, StepLimits, IExecutor> open)
    {
        var length = Math.Min(PromptTokens + NewTokens, program.ContextLen);
        using var executor = open(program, SequenceRunner.LimitsFor(program, length));
        using var runner = new SequenceRunner(executor, program);
        var prompt = new int[Math.Max(1, length - NewTokens)];
        for (var i = 0; i < prompt.Length; i++) prompt[i] = (int)((i * 7919L + 11) % program.VocabSize);
        var finite = true;
        float min = float.MaxValue, max = float.MinValue;
        runner.Append(prompt, [prompt.Length - 1], (_, logits) =>
        {
            foreach (var v in logits)
            {
                finite &= float.IsFinite(v);
                (min, max) = (MathF.Min(min, v), MathF.Max(max, v));
            }
        });
        if (!finite) return (ModelVerdict.Failed, "The logits of a short prompt are not numbers.");
        if (min == max) return (ModelVerdict.Failed, "All logits of a short prompt are equal.");
        var token = 0;
        for (var i = prompt.Length; i < length; i++) token = runner.AppendAndPredict([token]);
        return (ModelVerdict.Ok, Text($"{length} tokens on {executor.Info.Device}; logits from {min:0.0} to {max:0.0}"));
    }

    private static IEnumerable<WeightTensor> Tensors(ModelWeights weights)
    {
        foreach (var name in weights.Names)
            if (weights.TryGet(name, out var tensor)) yield return tensor;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
