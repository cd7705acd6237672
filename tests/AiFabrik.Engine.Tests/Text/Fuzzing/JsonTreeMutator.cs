using System.Text;
using System.Text.Json.Nodes;

namespace AiFabrik.Engine.Tests.Text.Fuzzing;

/// <summary>Changes a JSON tree at random: fields away, doubled, swapped, spliced in from another tree, or with values that nobody expects.</summary>
internal static class JsonTreeMutator
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "255", "4194303", "4194304", "2147483648", "1e999", "0.5", "\"\"", "\" \"", "\"a\"", "\"\\u0000\"", "\"\\u2581\"", "\"<0x0A>\"",
        "\"\\u0120\"", "\"BPE\"", "\"WordPiece\"", "\"Unigram\"", "\"ByteLevel\"", "\"Sequence\"", "\"Replace\"", "\"Prepend\"", "\"Strip\"", "\"Metaspace\"", "\"Fuse\"", "\"NFKC\"",
        "[]", "{}", "[[]]", "[\"a\",\"b\"]", "{\"a\":0}", "{\"String\":\"\"}", "{\"Regex\":\"(a|b)*?\"}", "{\"Regex\":\"\\\\s+(?!\\\\S)\"}", "{\"Regex\":\"x*\"}",
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"use_regex\":true}", "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},\"behavior\":\"MergedWithNext\",\"invert\":false}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaaaaaa\"}", "{\"type\":\"NFD\"}", "{\"type\":\"Lowercase\"}", "{\"type\":\"Digits\",\"individual_digits\":true}",
    ];

    internal static byte[] Mutate(Random random, string seed, string other)
    {
        var root = JsonNode.Parse(seed)!;
        var donors = Nodes(JsonNode.Parse(other)!, random);
        for (var n = random.Next(1, 4); n > 0; n--) Change(random, root, donors);
        var file = Encoding.UTF8.GetBytes(root.ToJsonString());
        if (random.Next(8) == 0)
        {
            for (var n = random.Next(1, 4); n > 0; n--) file[random.Next(file.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : (byte)"{}[]\",:0189\\unltrue"[random.Next(19)];
            if (random.Next(6) == 0) file = file[..random.Next(file.Length)];
        }

        return file;
    }

    private static void Change(Random random, JsonNode root, List<JsonNode> donors)
    {
        var nodes = Nodes(root, random);
        if (nodes.Count == 0) return;
        // Any change to the vocabulary or the merges soon makes them unfit for each other, so mostly others are changed.
        var node = nodes[random.Next(nodes.Count)];
        for (var n = 0; n < 6 && IsBigList(node); n++) node = nodes[random.Next(nodes.Count)];
        switch (node)
        {
            case JsonObject fields when fields.Count > 0:
                var name = fields.ElementAt(random.Next(Math.Min(fields.Count, 400))).Key;
                ChangeField(random, fields, name, donors);
                break;
            case JsonArray items when items.Count > 0:
                var at = random.Next(Math.Min(items.Count, 400));
                switch (random.Next(4))
                {
                    case 0: items.RemoveAt(at); break;
                    case 1: items.Insert(at, items[random.Next(items.Count)]?.DeepClone()); break;
                    case 2: items[at] = Value(random, donors); break;
                    default:
                        for (var k = random.Next(1, 4); k > 0; k--) items.Add(Value(random, donors));
                        break;
                }

                break;
        }
    }

    private static bool IsBigList(JsonNode node) =>
        node.Parent is JsonObject parent && (ReferenceEquals(parent["vocab"], node) || ReferenceEquals(parent["merges"], node));

    private static void ChangeField(Random random, JsonObject fields, string name, List<JsonNode> donors)
    {
        switch (random.Next(6))
        {
            case 0: fields.Remove(name); break;
            case 1:
                var moved = fields[name]?.DeepClone();
                fields.Remove(name);
                fields[Text(random, name)] = moved;
                break;
            case 2 when fields[name] is JsonValue value && value.TryGetValue<string>(out var text): fields[name] = Text(random, text); break;
            case 3 when fields[name] is JsonValue value && value.TryGetValue<int>(out var number): fields[name] = number + random.Next(-300, 300); break;
            default: fields[name] = Value(random, donors); break;
        }
    }

    private static JsonNode? Value(Random random, List<JsonNode> donors) => random.Next(2) == 0 && donors.Count > 0
        ? donors[random.Next(donors.Count)].DeepClone()
        : JsonNode.Parse(Values[random.Next(Values.Length)]);

    private static string Text(Random random, string text)
    {
        var at = random.Next(text.Length + 1);
        return random.Next(4) switch
        {
            0 => text[..at],
            1 => text + text,
            2 => text[..at] + RegexMutator.Fragment(random) + text[at..],
            _ => text[..at] + (char)random.Next(1, 0xD7FF) + text[at..],
        };
    }

    /// <summary>Objects and lists of a tree; those deep inside long lists count less.</summary>
    private static List<JsonNode> Nodes(JsonNode root, Random random)
    {
        var found = new List<JsonNode>();
        var open = new Stack<JsonNode>([root]);
        while (open.TryPop(out var node))
        {
            found.Add(node);
            if (IsBigList(node)) continue;
            IEnumerable<JsonNode?> children = node switch { JsonObject o => o.Select(p => p.Value), JsonArray a => a, _ => [] };
            var taken = 0;
            foreach (var child in children)
            {
                if (child is not (JsonObject or JsonArray)) continue;
                if (taken++ < (node.Parent is null ? 20 : 6) || random.Next(50) == 0) open.Push(child);
            }
        }

        return found;
    }
}
