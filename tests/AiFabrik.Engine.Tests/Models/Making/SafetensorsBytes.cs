using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>A tensor of a safetensors file.</summary>
internal sealed record RawTensor(string Name, string DType, int[] Shape, byte[] Data);

/// <summary>Reads and writes whole safetensors files; a reader of its own, so that the product's is tested against it.</summary>
internal static class SafetensorsBytes
{
    public static List<RawTensor> Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var json = JsonDocument.Parse(bytes.AsMemory(8, header));
        var tensors = new List<RawTensor>();
        foreach (var item in json.RootElement.EnumerateObject())
        {
            if (item.Name == "__metadata__") continue;
            var offsets = item.Value.GetProperty("data_offsets");
            int begin = offsets[0].GetInt32(), end = offsets[1].GetInt32();
            tensors.Add(new RawTensor(item.Name, item.Value.GetProperty("dtype").GetString()!, [.. item.Value.GetProperty("shape").EnumerateArray().Select(s => s.GetInt32())], bytes[(8 + header + begin)..(8 + header + end)]));
        }
        return tensors;
    }

    public static void Write(string path, IEnumerable<RawTensor> tensors)
    {
        var list = tensors.ToArray();
        using var file = File.Create(path);
        file.Write(Header(list.Select(t => (t.Name, t.DType, t.Shape, (long)t.Data.Length))));
        foreach (var tensor in list) file.Write(tensor.Data);
    }

    /// <summary>The header of tensors that follow one another.</summary>
    public static byte[] Header(IEnumerable<(string Name, string DType, int[] Shape, long Bytes)> tensors)
    {
        long at = 0;
        var map = new Dictionary<string, object>();
        foreach (var (name, dtype, shape, bytes) in tensors)
        {
            map.Add(name, new { dtype, shape, data_offsets = new[] { at, at + bytes } });
            at += bytes;
        }
        var json = JsonSerializer.Serialize(map);
        json = json.PadRight((json.Length + 7) / 8 * 8);
        var head = new byte[8 + json.Length];
        BinaryPrimitives.WriteInt64LittleEndian(head, json.Length);
        Encoding.UTF8.GetBytes(json, head.AsSpan(8));
        return head;
    }
}
