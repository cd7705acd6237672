using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary><c>aifabrik model detokenize</c>: ids on standard input, their text on standard output.</summary>
internal static class DetokenizeCommand
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var command = new Command("detokenize", "Prints the text of the ids on standard input.");
        var model = new Option<string?>("--model", "-m") { Description = "A GGUF file, or a directory with at least a tokenizer." };
        var jsonl = new Option<bool>("--jsonl") { Description = "A JSON object with 'ids' a line in, one with 'text' and 'bytes_hex' a line out." };
        command.Options.Add(model);
        command.Options.Add(jsonl);
        command.SetAction(line =>
        {
            var tokenizer = TextFiles.OpenTokenizer(line.GetValue(model));
            return line.GetValue(jsonl) ? Lines(tokenizer) : All(tokenizer);
        });
        return command;
    }

    private static int All(Tokenizer tokenizer)
    {
        var words = Console.In.ReadToEnd().Split((char[]?)[' ', ',', '\n', '\r', '\t', '[', ']'], StringSplitOptions.RemoveEmptyEntries);
        var ids = new int[words.Length];
        for (var i = 0; i < ids.Length; i++)
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i])) throw new CommandFailure("The input must be token ids, separated by spaces or commas.");
        using var output = Console.OpenStandardOutput();
        output.Write(Decode(tokenizer, ids, rawBytes: false));
        return 0;
    }

    private static int Lines(Tokenizer tokenizer)
    {
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        var number = 0;
        foreach (var line in JsonLines.Read())
        {
            number++;
            if (!JsonLines.TryIds(line, out var ids)) throw new CommandFailure($"Line {number} of the input is no JSON object with 'ids'.");
            var text = Encoding.UTF8.GetString(Decode(tokenizer, ids, rawBytes: false));
            var hex = Convert.ToHexStringLower(Decode(tokenizer, ids, rawBytes: true));
            output.WriteLine(JsonSerializer.Serialize(new { text, bytes_hex = hex }, Plain));
        }
        return 0;
    }

    private static byte[] Decode(Tokenizer tokenizer, int[] ids, bool rawBytes)
    {
        foreach (var id in ids)
            if ((uint)id >= (uint)tokenizer.VocabSize) throw new CommandFailure($"Token ids must be below {tokenizer.VocabSize}.");
        var decoder = tokenizer.CreateDecoder(skipSpecial: false, rawBytes: rawBytes);
        using var output = new MemoryStream();
        Span<byte> piece = new byte[decoder.BytesPerCallMax];
        int written;
        foreach (var id in ids)
            if (decoder.TryAppend(id, piece, out written)) output.Write(piece[..written]);
        if (decoder.TryFlush(piece, out written)) output.Write(piece[..written]);
        return output.ToArray();
    }
}
