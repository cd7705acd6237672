using System.CommandLine;
using System.Text.Json;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands;

/// <summary><c>aifabrik perplexity</c>: how well a model predicts a text, by llama.cpp's definition.</summary>
internal static class PerplexityCommand
{
    private const int ContextDefault = 512;

    public static Command Create()
    {
        var command = new Command("perplexity", "Measures how well a model predicts a text: exp(mean negative log-likelihood).");
        var model = new ModelArguments();
        model.AddTo(command);
        var file = new Option<FileInfo>("--file", "-f") { Description = "UTF-8 text.", Required = true };
        var context = new Option<int>("--context", "-c") { Description = "Tokens of a chunk; its first half is context only.", DefaultValueFactory = static _ => ContextDefault };
        var json = new Option<bool>("--json") { Description = "One JSON object." };
        command.Options.Add(file);
        command.Options.Add(context);
        command.Options.Add(json);
        command.SetAction(line =>
        {
            using var session = ModelSession.Open(ModelChoice.Of(line, model));
            return Run(session, line.GetValue(file)!, line.GetValue(context), line.GetValue(json));
        });
        return command;
    }

    private static int Run(ModelSession session, FileInfo file, int context, bool json)
    {
        if (!file.Exists) throw new CommandFailure($"There is no file {file.FullName}.");
        var text = File.ReadAllBytes(file.FullName);
        var tokens = new int[text.Length + 16];
        using var scratch = new TokenizerScratch();
        session.Model.Tokenizer.TryEncode(text, scratch, tokens, out var count);
        using var runner = session.OpenRunner(context);
        PerplexityResult result;
        try
        {
            result = Perplexity.Measure(runner, tokens.AsSpan(0, count), context);
        }
        catch (ArgumentException e)
        {
            throw new CommandFailure(e.Message);
        }
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { model = session.Id, device = session.Executor.Info.Device, tokens = count, context, chunks = result.ChunkMeanNll.Length, scored = result.Scored, mean_nll = result.MeanNll, perplexity = result.Value }));
            return 0;
        }
        Console.WriteLine(FormattableString.Invariant($"{session.Id} on {session.Executor.Info.Device}: {count} tokens, {result.ChunkMeanNll.Length} chunks of {context}, {result.Scored} scored"));
        Console.WriteLine(FormattableString.Invariant($"perplexity {result.Value:0.0000}   mean nll {result.MeanNll:0.000000}"));
        return 0;
    }
}
