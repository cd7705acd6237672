using System.CommandLine;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;

namespace AiFabrik.Host.Commands;

/// <summary>Which model, and where it runs.</summary>
internal sealed record ModelChoice(string Path, string Device, int Threads, ModelLoadOptions LoadOptions)
{
    public static ModelChoice Of(ParseResult line, ModelArguments arguments) =>
        Of(line.GetValue(arguments.Model), line.GetValue(arguments.Device)!, line.GetValue(arguments.Threads), line.GetValue(arguments.Quantize), Places.Data(line.GetValue(arguments.Data)));

    public static ModelChoice Of(string? path, string device, int threads, string? quantize, string dataDirectory)
    {
        var found = Places.Model(path) ?? throw new CommandFailure("No model was given and none is in a folder 'models' here. Give one with --model PATH.");
        return new ModelChoice(found, device, threads, new ModelLoadOptions { Quantize = Quantization(quantize), DataDirectory = dataDirectory });
    }

    private static WeightType? Quantization(string? name) => name?.ToUpperInvariant() switch
    {
        null => null,
        "Q8_0" => WeightType.Q8_0,
        "Q4_0" => WeightType.Q4_0,
        _ => throw new CommandFailure("--quantize takes q8_0 or q4_0."),
    };
}
