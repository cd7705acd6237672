using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Devices;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Commands.Model;
using AiFabrik.Host.Http;
using Spectre.Console;

namespace AiFabrik.Host.Commands;

/// <summary>A model that is open and, once asked for, the executor that runs it. What every command with a model starts from.</summary>
internal sealed class ModelSession : IDisposable
{
    /// <summary>Share of free memory that the KV cache may take if nobody says how much.</summary>
    private const double KvShareOfFreeMemory = 0.25;

    /// <summary>The KV cache if nobody says how much, unless one full context needs more. It is locked in memory at start, which costs about 3 s a GiB.</summary>
    private const long KvBytesDefault = 384L << 20;

    /// <summary>What one full context may take without being asked.</summary>
    private const long KvBytesMaxDefault = 4L << 30;

    private readonly IDisposable _files;
    private readonly LoadedModel? _model;
    private readonly string _device;
    private readonly int _threads;
    private readonly string? _dataDirectory;
    private IExecutor? _executor;
    private bool _served;

    private ModelSession(IDisposable files, LoadedModel? model, string id, TransformerProgram program, ModelChoice choice)
    {
        _files = files;
        _model = model;
        Id = id;
        Program = program;
        _device = choice.Device;
        _threads = choice.Threads;
        _dataDirectory = choice.LoadOptions.DataDirectory;
    }

    public string Id { get; }
    public TransformerProgram Program { get; }

    /// <summary>The model with its tokenizer; there if <see cref="Open"/> made the session.</summary>
    public LoadedModel Model => _model ?? throw new InvalidOperationException("the session was opened without a tokenizer");

    public IExecutor Executor => _executor ?? throw new InvalidOperationException("the session has no executor yet");

    /// <summary>Loads a model with its tokenizer, with a progress bar where loading is long and somebody watches.</summary>
    public static ModelSession Open(ModelChoice choice)
    {
        var model = WithProgress($"Loading {Path.GetFileName(choice.Path)}", progress => ModelLoader.Load(choice.Path, choice.LoadOptions, progress));
        return new ModelSession(model, model, model.Id, model.Program, choice);
    }

    /// <summary>Opens configuration and weights alone: token ids in, logits out.</summary>
    public static ModelSession OpenWeights(ModelChoice choice)
    {
        var files = ModelFiles.Open(choice.Path, choice.LoadOptions);
        return new ModelSession(files, null, ModelLoader.IdOf(choice.Path), ArchitectureRegistry.Build(files.Config, files.Weights), choice);
    }

    /// <summary>Makes the executor for one sequence: log-probabilities, perplexity.</summary>
    public SequenceRunner OpenRunner(int contextLen)
    {
        var limits = SequenceRunner.LimitsFor(Program, Math.Min(contextLen, Program.ContextLen), blockSize: DeviceSelection.BlockSize(_device));
        return new SequenceRunner(OpenExecutor(limits), Program);
    }

    /// <summary>Makes the executor.</summary>
    public IExecutor OpenExecutor(StepLimits limits)
    {
        _executor?.Dispose();
        try
        {
            var options = new DeviceOptions { DataDirectory = _dataDirectory, Notice = Console.Error.WriteLine };
            return _executor = _device is "cpu" or "reference"
                ? DeviceSelection.Open(_device, _threads, Program, limits, options)
                : WithProgress($"Preparing {_device}", progress => DeviceSelection.Open(_device, _threads, Program, limits, options with { Progress = progress }));
        }
        catch (DeviceUnavailableException e)
        {
            throw new CommandFailure(e.Message);
        }
    }

    public int BlockSize => DeviceSelection.BlockSize(_device);

    /// <summary>Makes executor and engine, for requests. The result owns both and the model.</summary>
    public ServedModel Serve(EngineOptions engine, long kvMemoryMiB)
    {
        var bytes = kvMemoryMiB > 0 ? kvMemoryMiB << 20 : DefaultKvBytes();
        var templates = ModelTemplates.Load(Model.Files);
        try
        {
            var options = (engine with { BlockSize = BlockSize }).Derive(Program, bytes, DeviceSelection.KvElementBytes(_device));
            var executor = OpenExecutor(options.Limits);
            var inference = new InferenceEngine(Program, executor, () => new TokenizerDecoder(Model.Tokenizer.CreateDecoder(skipSpecial: true)), Model.EosIds.ToArray(), options);
            _served = true;
            return new ServedModel(Model, templates, executor, inference);
        }
        catch (ArgumentException e)
        {
            throw new CommandFailure($"The settings in Engine cannot be used: {e.Message.Split('\n', '\r')[0]}");
        }
    }

    /// <summary>Enough for one full context, within bounds.</summary>
    private long DefaultKvBytes()
    {
        long context = 0;
        foreach (var layer in Program.KvLayers) context += 2L * layer.NKvHeads * layer.HeadDim * Program.ContextLen * DeviceSelection.KvElementBytes(_device);
        var most = (long)Math.Min(KvBytesMaxDefault, KvShareOfFreeMemory * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return Math.Min(most, Math.Max(KvBytesDefault, context));
    }

    public void Dispose()
    {
        if (_served) return;
        _executor?.Dispose();
        _files.Dispose();
    }

    private static T WithProgress<T>(string what, Func<IProgress<double>?, T> load)
    {
        if (Console.IsErrorRedirected) return load(null);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).HideCompleted(true).Start(context =>
        {
            var task = context.AddTask(Markup.Escape(what), maxValue: 1);
            return load(new Progress<double>(share => task.Value = share));
        });
    }
}
