using System.Globalization;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using Xunit;

namespace AiFabrik.Engine.Tests.Models.Golden;

/// <summary>Makes the executor under test. Its class decides which bounds hold.</summary>
internal delegate IExecutor ExecutorFactory(TransformerProgram program, StepLimits limits);

/// <summary>
/// The golden models, run through any executor: logits within the bounds of its class, continuations equal at every step that
/// the class determines. Each check writes the largest error it saw to the test's output.
/// </summary>
internal static class GoldenChecks
{
    /// <summary>Tokens per step: small, so that prompts of 17 to 70 tokens come in several chunks.</summary>
    private const int ChunkTokens = 24;

    private const int LogitRows = 16;

    public static IEnumerable<string> Directories => TestPaths.GoldenDirectories;

    public static IEnumerable<string> Twins => GoldenCase.Twins().Select(twin => twin.File);

    public static IEnumerable<string> TypeFiles => GoldenCase.TypeFiles();

    /// <summary>A Hugging Face directory of the golden set.</summary>
    /// <param name="stepsMax">Steps of each continuation, where an executor is too slow for all.</param>
    public static void Directory(string name, ExecutorFactory factory, int stepsMax = int.MaxValue) => Check(name, TestPaths.HuggingFace(name), GoldenCase.OfDirectory(name), factory, stepsMax);

    /// <summary>A GGUF twin of such a directory.</summary>
    public static void Twin(string file, ExecutorFactory factory) =>
        Check(file, TestPaths.Gguf(file), GoldenCase.OfDirectory(GoldenCase.Twins().Single(twin => twin.File == file).Model), factory);

    /// <summary>A GGUF model of one weight type.</summary>
    public static void Type(string file, ExecutorFactory factory, int stepsMax = int.MaxValue) => Check(file, TestPaths.Gguf(file), [GoldenCase.OfType(file)], factory, stepsMax);

    private static void Check(string name, string path, IEnumerable<GoldenCase> cases, ExecutorFactory factory, int stepsMax = int.MaxValue)
    {
        using var model = ModelFiles.Open(path);
        var program = ArchitectureRegistry.Build(model.Config, model.Weights);
        var list = cases.ToList();
        Assert.NotEmpty(list);
        var longest = list.Max(item => item.Tokens.Length + item.Greedy.Length);
        using var executor = factory(program, SequenceRunner.LimitsFor(program, longest, ChunkTokens, LogitRows));
        using var runner = new SequenceRunner(executor, program);
        var exactness = executor.Info.Class;
        double worst = 0;
        int determined = 0, steps = 0;
        foreach (var item in list)
        {
            var error = LogitsError(runner, item, model.Config.VocabSize);
            worst = Math.Max(worst, error);
            Assert.True(error <= item.Bounds.Limit(exactness), Text($"{item.Name}: error {error:E2} exceeds {item.Bounds.Limit(exactness):E2}."));
            // Where steps are few, the continuation goes on from where the logits were taken: that spares the prompt.
            determined += stepsMax < item.Greedy.Length ? Continuation(runner, item, exactness, 1, stepsMax) : Continuation(runner, item, exactness, 0, item.Greedy.Length);
            steps += stepsMax < item.Greedy.Length ? stepsMax - 1 : item.Greedy.Length;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(Text($"| {name} | {executor.Info.Device} | {exactness} | {worst:E1} | {list[0].Bounds.Limit(exactness):E1} | {determined}/{steps} |"));
    }

    /// <summary>rms(ours − expected) / std(expected) over the stored rows.</summary>
    private static double LogitsError(SequenceRunner runner, GoldenCase item, int vocabSize)
    {
        Assert.Equal(item.Rows.Length * vocabSize, item.Logits.Length);
        double squares = 0;
        var row = 0;
        runner.Reset();
        runner.Append(item.Tokens, item.Rows, (position, logits) =>
        {
            Assert.Equal(item.Rows[row], position);
            for (var i = 0; i < vocabSize; i++)
            {
                double difference = logits[i] - item.Logits[row * vocabSize + i];
                squares += difference * difference;
            }
            row++;
        });
        Assert.Equal(item.Rows.Length, row);
        return Math.Sqrt(squares / item.Logits.Length) / item.Std;
    }

    /// <summary>Decodes token by token with the expected tokens as input; the best token must be the expected one at each determined step.</summary>
    /// <param name="from">0: from the prompt on; more: the sequence has been fed up to the step before.</param>
    private static int Continuation(SequenceRunner runner, GoldenCase item, ExactnessClass exactness, int from, int to)
    {
        var determined = 0;
        if (from == 0) runner.Reset();
        var input = from == 0 ? item.Tokens : item.Greedy.AsSpan(from - 1, 1);
        for (var step = from; step < to; step++)
        {
            var best = runner.AppendAndPredict(input);
            input = item.Greedy.AsSpan(step, 1);
            if (!item.IsDetermined(step, exactness)) continue;
            determined++;
            Assert.True(best == item.Greedy[step], Text($"{item.Name}: step {step} gives {best} instead of {item.Greedy[step]}."));
        }
        return determined;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
