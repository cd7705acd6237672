using System.CommandLine;
using System.Text.Json;
using AiFabrik.Engine.Devices;
using AiFabrik.Engine.Models;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model verify</c>: from a model's files to a short run, one row a check.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var command = new Command("verify", "Checks a model: files, shapes, numbers, tokenizer, chat template, a short run.");
        var path = new Argument<string?>("path") { Description = "A GGUF file or a directory. Default: the model that comes with the product.", Arity = ArgumentArity.ZeroOrOne };
        var model = new Option<string?>("--model", "-m") { Description = "The same as the argument." };
        var device = new Option<string>("--device", "-d") { Description = "Where the short run runs.", DefaultValueFactory = static _ => "auto" };
        var threads = new Option<int>("--threads", "-t") { Description = "Threads that compute; 0: all processors." };
        var json = new Option<bool>("--json") { Description = "A JSON array of the rows." };
        command.Arguments.Add(path);
        foreach (var option in (Option[])[model, device, threads, json]) command.Options.Add(option);
        command.SetAction(line =>
        {
            var found = Places.Model(line.GetValue(path) ?? line.GetValue(model)) ?? throw new CommandFailure("No model was given and none is in a folder 'models' here.");
            var rows = ProgressBar.Run($"Verifying {ModelLoader.IdOf(found)}", progress => ModelVerifier.Verify(found, new ModelVerifierHooks
            {
                Executor = (program, limits) => DeviceSelection.Open(line.GetValue(device)!, line.GetValue(threads), program, limits, new DeviceOptions { Progress = progress }),
                Templates = Templates,
            }, progress is null ? null : new StageShare(progress)));
            if (line.GetValue(json)) Console.WriteLine(JsonSerializer.Serialize(rows.Select(r => new { check = r.Check, verdict = Name(r.Verdict), detail = r.Detail })));
            else Print(rows);
            return rows.Any(r => r.Verdict == ModelVerdict.Failed) ? 1 : 0;
        });
        return command;
    }

    private static void Print(IReadOnlyList<ModelVerifierRow> rows)
    {
        Console.WriteLine($"{"check",-14} {"verdict",-8} detail");
        foreach (var row in rows) Console.WriteLine($"{row.Check,-14} {Name(row.Verdict),-8} {row.Detail}");
    }

    private static string Name(ModelVerdict verdict) => verdict.ToString().ToLowerInvariant();

    private static string Templates(string path) => ModelTemplates.Load(path) switch
    {
        null => "none: only text completions can be served",
        { Names.Count: 1 } => "1 template",
        var all => $"{all.Names.Count} templates",
    };
}
