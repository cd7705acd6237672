using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Devices;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http;
using Spectre.Console;

namespace AiFabrik.Host.Commands;

/// <summary>A loaded model and, once asked for, the executor that runs it. What every command with a model opens.</summary>
internal sealed class ModelSession : IDisposable
{
    /// <summary>Share of free memory that the KV cache may take if nobody says how much.</summary>
    private const double KvShareOfFreeMemory = 0.25;

    /// <summary>The KV cache's bound if nobody says how much: 4 GiB.</summary>
    private const long KvBytesMaxDefault = 4L << 30;

    private IExecutor? _executor;
    private bool _served;

    private ModelSession(LoadedModel model, string device, int threads)
    {
        Model = model;
        DeviceName = device;
        Threads = threads;
    }

    public LoadedModel Model { get; }
    public string DeviceName { get; }
    public int Threads { get; }

    public IExecutor Executor => _executor ?? throw new InvalidOperationException("the session has no executor yet");

    /// <summary>Loads the model, with a progress bar where loading is long and somebody watches.</summary>
    public static ModelSession Open(string? path, string device, int threads, string? quantize, string dataDirectory)
    {
        var found = Places.Model(path) ?? throw new CommandFailure("No model was given and none is in a folder 'models' here. Give one with --model PATH.");
        var options = new ModelLoadOptions { Quantize = Quantization(quantize), DataDirectory = dataDirectory };
        return new ModelSession(Progress(found, progress => ModelLoader.Load(found, options, progress)), device, threads);
    }

    /// <summary>Makes the executor for one sequence: log-probabilities, perplexity.</summary>
    public SequenceRunner OpenRunner(int contextLen)
    {
        var limits = SequenceRunner.LimitsFor(Model.Program, Math.Min(contextLen, Model.Program.ContextLen));
        return new SequenceRunner(OpenExecutor(limits), Model.Program);
    }

    /// <summary>Makes the executor.</summary>
    public IExecutor OpenExecutor(StepLimits limits)
    {
        _executor?.Dispose();
        try
        {
            return _executor = DeviceSelection.Open(DeviceName, Threads, Model.Program, limits);
        }
        catch (DeviceUnavailableException e)
        {
            throw new CommandFailure(e.Message);
        }
    }

    /// <summary>Makes executor and engine, for requests. The result owns both and the model.</summary>
    public ServedModel Serve(EngineOptions engine, long kvMemoryMiB)
    {
        var elementBytes = DeviceSelection.KvElementBytes(DeviceName);
        var bytes = kvMemoryMiB > 0 ? kvMemoryMiB << 20 : (long)Math.Min(KvBytesMaxDefault, KvShareOfFreeMemory * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        var options = engine.Derive(Model.Program, bytes, elementBytes);
        var executor = OpenExecutor(options.Limits);
        var inference = new InferenceEngine(Model.Program, executor, () => new TokenizerDecoder(Model.Tokenizer), Model.EosIds, options);
        _served = true;
        return new ServedModel { Id = Model.Id, Loaded = Model, Engine = inference, Executor = executor, Created = DateTimeOffset.UtcNow };
    }

    public void Dispose()
    {
        if (_served) return;
        _executor?.Dispose();
        Model.Dispose();
    }

    private static WeightType? Quantization(string? name) => name?.ToUpperInvariant() switch
    {
        null => null,
        "Q8_0" => WeightType.Q8_0,
        "Q4_0" => WeightType.Q4_0,
        _ => throw new CommandFailure("--quantize takes q8_0 or q4_0."),
    };

    private static LoadedModel Progress(string path, Func<IProgress<double>?, LoadedModel> load)
    {
        if (Console.IsErrorRedirected) return load(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true).Start(context =>
        {
            var task = context.AddTask($"Loading {Markup.Escape(Path.GetFileName(path))}", maxValue: 1);
            return load(new Progress<double>(share => task.Value = share));
        });
    }
}
