using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Models;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model logprobs</c>: the best next tokens after every position of a token list.</summary>
internal static class LogProbsCommand
{
    public static Command Create()
    {
        var command = new Command("logprobs", "Prints the best next tokens and their log-probabilities after every position.");
        var model = new ModelArguments();
        model.AddTo(command);
        var tokens = new Option<string>("--tokens") { Description = "Token ids: 1,2,3. '-' reads them from standard input.", Required = true };
        var top = new Option<int>("--top") { Description = "How many a position.", DefaultValueFactory = static _ => 10 };
        var raw = new Option<FileInfo?>("--raw") { Description = "Writes all logits there, as little-endian float32 rows." };
        var json = new Option<bool>("--json") { Description = "A JSON object a position: {\"position\", \"token\", \"top\": [[id, log-probability], …]}." };
        foreach (var option in (Option[])[tokens, top, raw, json]) command.Options.Add(option);
        command.SetAction(line =>
        {
            using var session = ModelSession.OpenWeights(ModelChoice.Of(line, model));
            var ids = Ids(line.GetValue(tokens)!, session.Program.VocabSize);
            if (ids.Length > session.Program.ContextLen) throw new CommandFailure($"{ids.Length} tokens exceed the model's context of {session.Program.ContextLen}.");
            return Run(session, ids, Math.Clamp(line.GetValue(top), 0, session.Program.VocabSize), line.GetValue(raw), line.GetValue(json));
        });
        return command;
    }

    private static int[] Ids(string text, int vocabulary)
    {
        if (text == "-") text = Console.In.ReadToEnd();
        var words = text.Split((char[]?)[',', ' ', '\n', '\r', '\t', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        var ids = new int[words.Length];
        for (var i = 0; i < ids.Length; i++)
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]) || ids[i] >= vocabulary)
                throw new CommandFailure($"--tokens takes ids from 0 to {vocabulary - 1}, separated by commas.");
        return ids.Length > 0 ? ids : throw new CommandFailure("--tokens needs at least one id.");
    }

    private static int Run(ModelSession session, int[] ids, int top, FileInfo? raw, bool json)
    {
        using var runner = session.OpenRunner(ids.Length);
        using var file = raw is null ? null : File.Create(raw.FullName);
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        var best = new int[top];
        var values = new double[top];
        var rows = Enumerable.Range(0, ids.Length).ToArray();
        runner.Append(ids, rows, (position, logits) =>
        {
            file?.Write(MemoryMarshal.AsBytes(logits));
            if (top == 0) return;
            LogProbs.Top(logits, best, values);
            output.WriteLine(json ? Json(position, ids[position], best, values) : Text(position, ids[position], best, values));
        });
        return 0;
    }

    private static string Json(int position, int token, int[] best, double[] values) =>
        JsonSerializer.Serialize(new { position, token, top = best.Select((id, i) => new object[] { id, values[i] }) });

    private static string Text(int position, int token, int[] best, double[] values) =>
        string.Create(CultureInfo.InvariantCulture, $"{position,6} {token,7}  ") + string.Join(' ', best.Select((id, i) => string.Create(CultureInfo.InvariantCulture, $"{id}:{values[i]:0.0000}")));
}
