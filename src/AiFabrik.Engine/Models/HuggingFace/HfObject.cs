using System.Text.Json;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>An object of config.json: values by name with a default where the name is absent or null; exceptions with one sentence.</summary>
internal readonly struct HfObject(string path, JsonElement element)
{
    public string Path => path;
    public JsonElement Element => element;

    /// <summary>An object without a member.</summary>
    public bool IsEmpty => element.ValueKind == JsonValueKind.Object && element.GetPropertyCount() == 0;

    /// <summary>The value, unless it is absent or null.</summary>
    public bool TryGet(string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }

    /// <summary>The name stands there, be its value null.</summary>
    public bool Has(string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out _);

    public ModelFormatException Wrong(string name, string what) => new($"{path}: {name} {what}.");

    public int Int(string name, int? otherwise = null)
    {
        if (!TryGet(name, out var value)) return otherwise ?? throw Wrong(name, "is missing");
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number is >= 0 and <= int.MaxValue && number == Math.Floor(number)
            ? (int)number : throw Wrong(name, "is not a count");
    }

    public double Double(string name, double? otherwise = null) => OptionalDouble(name) ?? otherwise ?? throw Wrong(name, "is missing");

    public double? OptionalDouble(string name)
    {
        if (!TryGet(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : throw Wrong(name, "is not a number");
    }

    public bool Bool(string name, bool otherwise)
    {
        if (!TryGet(name, out var value)) return otherwise;
        return value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => throw Wrong(name, "is neither true nor false") };
    }

    public string? Text(string name)
    {
        if (!TryGet(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(name, "is not a text");
    }

    /// <summary>The object of that name; null if absent.</summary>
    public HfObject? Object(string name)
    {
        if (!TryGet(name, out var value)) return null;
        return value.ValueKind == JsonValueKind.Object ? new HfObject(path, value) : throw Wrong(name, "is not an object");
    }

    /// <summary>Numbers, at most <see cref="ModelConfigLimits.HeadDimMax"/>.</summary>
    public float[] Floats(string name)
    {
        if (!TryGet(name, out var value)) throw Wrong(name, "is missing");
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > ModelConfigLimits.HeadDimMax) throw Wrong(name, "is not an array of numbers");
        var numbers = new float[value.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
            if (value[i].ValueKind != JsonValueKind.Number || !value[i].TryGetSingle(out numbers[i])) throw Wrong(name, "is not an array of numbers");
        return numbers;
    }

    /// <summary>A count, or several in an array, at most <paramref name="max"/>; empty if absent.</summary>
    public int[] Ints(string name, int max)
    {
        if (!TryGet(name, out var value)) return [];
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var one)) return [one];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > max) throw Wrong(name, "is not an array of counts");
        var numbers = new int[value.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
            if (value[i].ValueKind != JsonValueKind.Number || !value[i].TryGetInt32(out numbers[i])) throw Wrong(name, "is not an array of counts");
        return numbers;
    }
}
