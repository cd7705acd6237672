using System.CommandLine;

namespace AiFabrik.Host.Commands;

/// <summary>Options that every command with a model shares.</summary>
internal sealed class ModelArguments
{
    public Option<string?> Model { get; } = new("--model", "-m")
    {
        Description = "A GGUF file (of a split model: the first part) or a directory with a model. Default: AIFABRIK__MODEL, else the model that comes with the product.",
    };

    public Option<string> Device { get; } = new("--device", "-d")
    {
        Description = "auto, cpu, reference, cuda[:i] or opencl[:i].",
        DefaultValueFactory = static _ => "auto",
    };

    public Option<int> Threads { get; } = new("--threads", "-t")
    {
        Description = "Threads that compute; 0: as many as there are processors.",
        DefaultValueFactory = static _ => 0,
    };

    public Option<string?> Quantize { get; } = new("--quantize")
    {
        Description = "q8_0 or q4_0: converts the model's matrices once and keeps the result in the data directory.",
    };

    public Option<string?> Data { get; } = new("--data")
    {
        Description = "Data directory. Default: AIFABRIK__DATA, else the user's own.",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Model);
        command.Options.Add(Device);
        command.Options.Add(Threads);
        command.Options.Add(Quantize);
        command.Options.Add(Data);
    }
}
