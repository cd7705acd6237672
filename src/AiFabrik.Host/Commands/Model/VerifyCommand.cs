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
            var asJson = line.GetValue(json);
            var hooks = new ModelVerifierHooks
            {
                Executor = (program, limits) => DeviceSelection.Open(line.GetValue(device)!, line.GetValue(threads), program, limits),
                Templates = Templates,
                Report = asJson ? null : Print,
            };
            var rows = ModelVerifier.Verify(found, hooks);
            if (asJson) Console.WriteLine(JsonSerializer.Serialize(rows.Select(r => new { check = r.Check, verdict = r.Verdict.ToString().ToLowerInvariant(), detail = r.Detail })));
            return rows.Any(r => r.Verdict == ModelVerdict.Failed) ? 1 : 0;
        });
        return command;
    }

    private static void Print(ModelVerifierRow row) => Console.WriteLine($"{row.Check,-14} {row.Verdict.ToString().ToLowerInvariant(),-8} {row.Detail}");

    private static string Templates(LoadedModel model)
    {
        var templates = ModelTemplates.Load(model.Files);
        return templates is null ? "none: only text completions can be served" : $"{templates.Names.Count} template{(templates.Names.Count == 1 ? "" : "s")}";
    }
}
