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
        for (var repeat = -1; repeat < shape.Repeats; repeat++)
        {
            var started = Stopwatch.GetTimestamp();
            batch.Prefill(executor, 0, shape.Prompt);
            var prefillSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            for (var s = 1; s < shape.Sequences; s++) batch.Prefill(executor, s, shape.Prompt);
            var measured = DeviceSelection.MeasureReadBandwidth(executor);
            started = Stopwatch.GetTimestamp();
            for (var i = 0; i < shape.Decode; i++) batch.Decode(executor, shape.Sequences, shape.Prompt + i);
            var decodeSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (repeat < 0) continue;
            prefill[repeat] = shape.Prompt / prefillSeconds;
            decode[repeat] = shape.Decode * shape.Sequences / decodeSeconds;
            bandwidth[repeat] = measured;
        }
        Report(session, shape, json, $"pp{shape.Prompt}", prefill, 0, bandwidth);
        if (shape.Decode > 0) Report(session, shape, json, shape.Sequences == 1 ? $"tg{shape.Decode}" : $"tg{shape.Decode} x{shape.Sequences}", decode, program.DecodeWeightBytes / (double)shape.Sequences, bandwidth);
        return 0;
    }

    private static void Report(ModelSession session, BenchShape shape, bool json, string test, double[] rates, double bytesPerToken, double[] bandwidths)
    {
        Array.Sort(rates);
        Array.Sort(bandwidths);
        var median = rates[rates.Length / 2];
        var bandwidth = bandwidths[bandwidths.Length / 2];
        var weights = median * bytesPerToken;
        double? share = bytesPerToken > 0 && bandwidth > 0 ? weights / bandwidth : null;
        var info = session.Executor.Info;
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                model = session.Id, device = info.Device, description = info.Description, @class = info.Class.ToString().ToLowerInvariant(), threads = info.Threads,
                test, prompt = shape.Prompt, decode = shape.Decode, sequences = shape.Sequences, repeats = shape.Repeats,
                tokens_per_second = median, tokens_per_second_min = rates[0], tokens_per_second_max = rates[^1],
                weight_bytes_per_second = bytesPerToken > 0 ? weights : (double?)null, read_bandwidth_bytes_per_second = bandwidth > 0 ? bandwidth : (double?)null, bandwidth_share = share,
            }));
            return;
        }
        var culture = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(culture, $"{session.Id,-28} {info.Device,-9} {info.Threads,2} threads  {test,-10} {median,9:0.0} tok/s ({rates[0]:0.0}..{rates[^1]:0.0})")
            + (share is { } s ? string.Create(culture, $"  weights {weights / 1e9:0.0} GB/s = {s:P0} of {bandwidth / 1e9:0.0} GB/s") : ""));
    }
}
