using System.CommandLine;
using System.Text.Json;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model tokenize</c>: text on standard input, ids on standard output.</summary>
internal static class TokenizeCommand
{
    public static Command Create()
    {
        var command = new Command("tokenize", "Prints the ids of the text on standard input.");
        var model = new Option<string?>("--model", "-m") { Description = "A GGUF file, or a directory with at least a tokenizer." };
        var jsonl = new Option<bool>("--jsonl") { Description = "A JSON object with 'text' a line in, one with 'ids' a line out." };
        var control = new Option<bool>("--control") { Description = "Control tokens that the text spells are recognised." };
        var special = new Option<bool>("--add-special-tokens") { Description = "BOS and the like are added as the tokenizer's own post-processor says." };
        foreach (var option in (Option[])[model, jsonl, control, special]) command.Options.Add(option);
        command.SetAction(line =>
        {
            var tokenizer = TextFiles.OpenTokenizer(line.GetValue(model));
            using var session = new TokenizeSession(tokenizer, line.GetValue(control), line.GetValue(special));
            return line.GetValue(jsonl) ? session.Lines() : session.All();
        });
        return command;
    }

    private sealed class TokenizeSession(Tokenizer tokenizer, bool control, bool special) : IDisposable
    {
        private readonly TokenizerScratch _scratch = new();
        private int[] _ids = new int[1 << 16];

        public void Dispose() => _scratch.Dispose();

        public int All()
        {
            using var buffer = new MemoryStream();
            using (var input = Console.OpenStandardInput()) input.CopyTo(buffer);
            var count = Encode(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), control, special);
            Console.WriteLine(string.Join(' ', _ids.Take(count)));
            return 0;
        }

        /// <summary>A line may override the options: {"text"|"bytes": …, "control": true, "add_special_tokens": true}.</summary>
        public int Lines()
        {
            using var output = new StreamWriter(Console.OpenStandardOutput());
            var number = 0;
            foreach (var line in JsonLines.Read())
            {
                number++;
                if (!JsonLines.TryText(line, out var text)) throw new CommandFailure($"Line {number} of the input is no JSON object with 'text'.");
                var count = Encode(text, control || JsonLines.Flag(line, "control"), special || JsonLines.Flag(line, "add_special_tokens"));
                output.WriteLine(JsonSerializer.Serialize(new { ids = _ids.AsSpan(0, count).ToArray() }));
            }
            return 0;
        }

        private int Encode(ReadOnlySpan<byte> text, bool recognise, bool addSpecial)
        {
            while (true)
            {
                bool fits;
                int count;
                if (recognise) fits = tokenizer.TryEncodeTrusted(text, addSpecial, _scratch, _ids, out count);
                else if (addSpecial) fits = tokenizer.TryEncodeWithSpecials(text, _scratch, _ids, out count);
                else fits = tokenizer.TryEncode(text, _scratch, _ids, out count);
                if (fits) return count;
                _ids = new int[_ids.Length * 4];
            }
        }
    }
}
