using System.Globalization;
using System.Text;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

/// <summary>Changes JSON texts where it hurts: values, names, brackets; now and then any byte.</summary>
internal sealed class JsonMutator
{
    private static readonly string[] Values =
    [
        "0", "-1", "1", "2", "3", "0.5", "-0.0", "1e308", "1e-308", "1e999", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "1e19", "99999999999999999999999999",
        "null", "true", "false", "\"\"", "\"x\"", "\"linear\"", "\"yarn\"", "\"longrope\"", "\"llama3\"", "\"\\ud800\"", "[]", "{}", "[0]", "[[[[[[]]]]]]", "[1,2,3,4]", "[-1,5]", "[9223372036854775807,1]", "NaN", "\"F64\"", "\"F4\"", "\"U8\"", "\"F32\"",
    ];

    /// <summary>A mutated copy.</summary>
    public static byte[] Mutate(byte[] json, ref FuzzRandom random)
    {
        var data = json;
        for (var n = 1 + random.Below(3); n > 0 && data.Length > 2; n--)
        {
            // Mostly only names and values change, so that what is behind the JSON parser is reached.
            var tokens = Tokens(data, withPunctuation: random.Below(8) == 0);
            data = random.Below(16) switch
            {
                0 => Flip(data, ref random),
                1 => data[..random.Below(data.Length)],
                2 => Replace(data, tokens, Encoding.UTF8.GetBytes(random.Next().ToString(CultureInfo.InvariantCulture)), ref random),
                3 => Copy(data, tokens, ref random),
                4 => Replace(data, tokens, [], ref random),
                _ => Replace(data, tokens, Encoding.UTF8.GetBytes(random.Of<string>(Values)), ref random),
            };
        }
        return data;
    }

    private static byte[] Flip(byte[] data, ref FuzzRandom random)
    {
        var copy = (byte[])data.Clone();
        copy[random.Below(copy.Length)] = (byte)random.Next();
        return copy;
    }

    private static byte[] Replace(byte[] data, List<(int Start, int End)> tokens, byte[] by, ref FuzzRandom random)
    {
        if (tokens.Count == 0) return data;
        var (start, end) = tokens[random.Below(tokens.Count)];
        return [.. data.AsSpan(0, start), .. by, .. data.AsSpan(end)];
    }

    /// <summary>Puts one token in another's place: names twice, values of another kind.</summary>
    private static byte[] Copy(byte[] data, List<(int Start, int End)> tokens, ref FuzzRandom random)
    {
        if (tokens.Count == 0) return data;
        var (start, end) = tokens[random.Below(tokens.Count)];
        return Replace(data, tokens, data[start..end], ref random);
    }

    /// <summary>Numbers, texts, words and brackets.</summary>
    private static List<(int Start, int End)> Tokens(byte[] data, bool withPunctuation)
    {
        var tokens = new List<(int, int)>();
        for (var i = 0; i < data.Length;)
        {
            var start = i;
            if (data[i] == '"')
            {
                for (i++; i < data.Length && data[i] != '"'; i++)
                    if (data[i] == '\\') i++;
                i = Math.Min(i + 1, data.Length);
            }
            else if (char.IsAsciiLetterOrDigit((char)data[i]) || data[i] is (byte)'-' or (byte)'.' or (byte)'+')
            {
                while (i < data.Length && (char.IsAsciiLetterOrDigit((char)data[i]) || data[i] is (byte)'-' or (byte)'.' or (byte)'+')) i++;
            }
            else
            {
                i++;
                if (!withPunctuation || data[start] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') continue;
            }
            tokens.Add((start, i));
        }
        return tokens;
    }
}
