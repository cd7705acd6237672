using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Devices;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik bench</c>: tokens a second of prefill and decode, beside the bandwidth that decode could use.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench", "Times prefill and decode, and tells which share of the memory bandwidth decode reaches.");
        var model = new ModelArguments();
        model.AddTo(command);
        var prompt = Number(command, "--prompt", "Tokens of prefill.", 512);
        var decode = Number(command, "--decode", "Tokens of decode, after the prompt.", 128);
        var sequences = Number(command, "--sequences", "Sequences that decode side by side.", 1);
        var repeats = Number(command, "--repeats", "Runs; the median counts.", 5);
        var json = new Option<bool>("--json") { Description = "One JSON object a row." };
        command.Options.Add(json);
        command.SetAction(line =>
        {
            using var session = ModelSession.OpenWeights(ModelChoice.Of(line, model));
            var shape = new BenchShape(line.GetValue(prompt), line.GetValue(decode), line.GetValue(sequences), line.GetValue(repeats), session.BlockSize);
            if (shape.Prompt < 1 || shape.Decode < 0 || shape.Sequences < 1 || shape.Repeats < 1) throw new CommandFailure("--prompt, --sequences and --repeats must be 1 or more, --decode 0 or more.");
            if (shape.Context > session.Program.ContextLen) throw new CommandFailure($"--prompt and --decode together exceed the model's context of {session.Program.ContextLen} tokens.");
            return Run(session, shape, line.GetValue(json));
        });
        return command;
    }

    private static Option<int> Number(Command command, string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        command.Options.Add(option);
        return option;
    }

    private sealed record BenchShape(int Prompt, int Decode, int Sequences, int Repeats, int BlockSize)
    {
        public int Context => Prompt + Decode;
        public int BlocksPerSequence => (Context + BlockSize - 1) / BlockSize;
    }

    private static int Run(ModelSession session, BenchShape shape, bool json)
    {
        var program = session.Program;
        var blocks = program.KvGroups.Select(_ => shape.BlocksPerSequence * shape.Sequences).ToArray();
        var limits = new StepLimits(Math.Max(shape.Prompt, shape.Sequences), shape.Sequences, shape.Sequences, shape.BlockSize, blocks, shape.BlocksPerSequence);
        var executor = session.OpenExecutor(limits);
        var batch = new BenchBatch(program, limits, shape.BlocksPerSequence);
        var prefill = new double[shape.Repeats];
        var decode = new double[shape.Repeats];
        var bandwidth = new double[shape.Repeats];
        double matrixRate = 0;
        for (var repeat = -1; repeat < shape.Repeats; repeat++)
        {
            var started = Stopwatch.GetTimestamp();
            batch.Prefill(executor, 0, shape.Prompt);
            var prefillSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            for (var s = 1; s < shape.Sequences; s++) batch.Prefill(executor, s, shape.Prompt);
            // In between, so that both sides of the ratio see the same neighbours.
            var measured = DeviceSelection.MeasureLimits(executor);
            started = Stopwatch.GetTimestamp();
            for (var i = 0; i < shape.Decode; i++) batch.Decode(executor, shape.Sequences, shape.Prompt + i);
            var decodeSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (repeat < 0) continue;
            prefill[repeat] = shape.Prompt / prefillSeconds;
            decode[repeat] = shape.Decode * shape.Sequences / decodeSeconds;
            bandwidth[repeat] = measured.BytesPerSecond;
            matrixRate = Math.Max(matrixRate, measured.MatrixOperationsPerSecond);
        }
        var limit = new DeviceLimits(Median(bandwidth), matrixRate);
        Report(session, shape, json, limit, new BenchRow($"pp{shape.Prompt}", prefill, 0, program.ProductOperations(shape.Prompt, 1) / shape.Prompt));
        if (shape.Decode == 0) return 0;
        var name = shape.Sequences == 1 ? $"tg{shape.Decode}" : $"tg{shape.Decode} x{shape.Sequences}";
        Report(session, shape, json, limit, new BenchRow(name, decode, program.DecodeWeightBytes / (double)shape.Sequences, 0));
        return 0;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    /// <summary>What was timed, and what a token of it costs at least.</summary>
    /// <param name="BytesPerToken">Weight bytes, where memory binds; else 0.</param>
    /// <param name="OperationsPerToken">Operations of the products, where they bind; else 0.</param>
    private sealed record BenchRow(string Test, double[] Rates, double BytesPerToken, double OperationsPerToken);

    private static void Report(ModelSession session, BenchShape shape, bool json, DeviceLimits limit, BenchRow row)
    {
        var median = Median(row.Rates);
        double weights = median * row.BytesPerToken, operations = median * row.OperationsPerToken;
        double? share = weights > 0 && limit.BytesPerSecond > 0 ? weights / limit.BytesPerSecond : null;
        double? matrixShare = operations > 0 && limit.MatrixOperationsPerSecond > 0 ? operations / limit.MatrixOperationsPerSecond : null;
        var info = session.Executor.Info;
        if (json)
        {
            double? bandwidth = limit.BytesPerSecond > 0 ? limit.BytesPerSecond : null;
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                model = session.Id, device = info.Device, description = info.Description, @class = info.Class.ToString().ToLowerInvariant(), threads = info.Threads,
                test = row.Test, prompt = shape.Prompt, decode = shape.Decode, sequences = shape.Sequences, repeats = shape.Repeats,
                tokens_per_second = median, tokens_per_second_min = row.Rates[0], tokens_per_second_max = row.Rates[^1],
                weight_bytes_per_second = weights > 0 ? weights : (double?)null,
                read_bandwidth_bytes_per_second = info.Threads > 0 ? bandwidth : null, copy_bandwidth_bytes_per_second = info.Threads > 0 ? null : bandwidth, bandwidth_share = share,
                product_operations_per_second = operations > 0 ? operations : (double?)null,
                matrix_rate_operations_per_second = limit.MatrixOperationsPerSecond > 0 ? limit.MatrixOperationsPerSecond : (double?)null, matrix_rate_share = matrixShare,
            }));
            return;
        }
        var culture = CultureInfo.InvariantCulture;
        var threads = info.Threads > 0 ? string.Create(culture, $"{info.Threads,2} threads") : "          ";
        Console.WriteLine(string.Create(culture, $"{session.Id,-28} {info.Device,-9} {threads}  {row.Test,-10} {median,9:0.0} tok/s ({row.Rates[0]:0.0}..{row.Rates[^1]:0.0})")
            + (share is { } s ? string.Create(culture, $"  weights {weights / 1e9:0.0} GB/s = {s:P0} of {limit.BytesPerSecond / 1e9:0.0} GB/s") : "")
            + (matrixShare is { } m ? string.Create(culture, $"  products {operations / 1e12:0.0} TFLOP/s = {m:P0} of {limit.MatrixOperationsPerSecond / 1e12:0.0}") : ""));
    }
}
