using System.CommandLine;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using Spectre.Console;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model synth</c>: a model of a known shape with random weights, for measurements.</summary>
internal static class SynthCommand
{
    public static Command Create()
    {
        var command = new Command("synth", "Writes a GGUF model with random weights, for measurements.");
        var shape = new Option<string>("--shape") { Description = string.Join(", ", ModelShape.All.Select(s => s.Name)) + ".", Required = true };
        var type = new Option<string>("--type") { Description = "Weight type of the matrices: q8_0, q4_0, q4_1, q4_k, q6_k, bf16, f16 …", Required = true };
        var output = new Option<FileInfo>("--out") { Description = "The file to write.", Required = true };
        foreach (var option in (Option[])[shape, type, output]) command.Options.Add(option);
        command.SetAction(line => Run(line.GetValue(shape)!, line.GetValue(type)!, line.GetValue(output)!));
        return command;
    }

    private static int Run(string shapeName, string typeName, FileInfo output)
    {
        var shape = ModelShape.All.FirstOrDefault(s => s.Name.Equals(shapeName, StringComparison.OrdinalIgnoreCase))
            ?? throw new CommandFailure($"--shape takes {string.Join(", ", ModelShape.All.Select(s => s.Name))}.");
        if (!Enum.TryParse<WeightType>(typeName, ignoreCase: true, out var type) || !Enum.IsDefined(type))
            throw new CommandFailure($"--type takes {string.Join(", ", Enum.GetNames<WeightType>().Select(n => n.ToLowerInvariant()))}.");
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Progress().AutoClear(true).Start(context =>
        {
            var task = context.AddTask($"Writing {Markup.Escape(output.Name)}", maxValue: 1);
            ModelSynthesizer.Write(shape, type, output.FullName, new Progress<ModelLoadProgress>(p => task.Value = p.Total > 0 ? (double)p.Done / p.Total : 0));
        });
        output.Refresh();
        Console.WriteLine(FormattableString.Invariant($"{output.FullName}: {shape.Name}, {type}, {output.Length / 1e6:0.0} MB"));
        return 0;
    }
}
