using System.Buffers.Binary;

namespace AiFabrik.Engine.Tests.Models.Fuzzing;

/// <summary>Where the numbers of a valid GGUF header stand: a reader of its own, so that mutations meet every field.</summary>
internal sealed class GgufFields
{
    private readonly byte[] _data;
    private int _at;

    public GgufFields(byte[] data)
    {
        _data = data;
        Number(4); // magic
        Number(4);
        var tensors = (int)Number(8);
        var pairs = (int)Number(8);
        for (var i = 0; i < pairs; i++)
        {
            var start = _at;
            Text();
            Value((int)Number(4));
            Pairs.Add((start, _at));
        }
        for (var i = 0; i < tensors; i++)
        {
            var start = _at;
            Text();
            var dims = (int)Number(4);
            for (var d = 0; d < dims; d++) Number(8);
            Number(4);
            Number(8);
            Tensors.Add((start, _at));
        }
        HeaderBytes = _at;
    }

    /// <summary>Offset and bytes of every number.</summary>
    public List<(int At, int Bytes)> Numbers { get; } = [];

    public List<(int Start, int End)> Pairs { get; } = [];
    public List<(int Start, int End)> Tensors { get; } = [];
    public int HeaderBytes { get; }

    private ulong Number(int bytes)
    {
        Numbers.Add((_at, bytes));
        var value = bytes == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(_data.AsSpan(_at)) : BinaryPrimitives.ReadUInt64LittleEndian(_data.AsSpan(_at));
        _at += bytes;
        return value;
    }

    private void Text()
    {
        var length = (int)Number(8);
        _at += length;
    }

    private void Value(int type)
    {
        switch (type)
        {
            case 8: Text(); break;
            case 9:
                var item = (int)Number(4);
                var count = (int)Number(8);
                // Of long arrays the first items are enough: all are read alike.
                for (var i = 0; i < count; i++)
                {
                    var numbers = Numbers.Count;
                    Value(item);
                    if (i > 8) Numbers.RemoveRange(numbers, Numbers.Count - numbers);
                }
                break;
            case 0 or 1 or 7: _at++; break;
            case 2 or 3: _at += 2; break;
            case 4 or 5 or 6: Number(4); break;
            default: Number(8); break;
        }
    }
}
