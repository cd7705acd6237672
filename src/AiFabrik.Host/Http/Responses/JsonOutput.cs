using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;

namespace AiFabrik.Host.Http.Responses;

/// <summary>
/// Writes JSON text straight into a response's <see cref="PipeWriter"/>. Unlike Utf8JsonWriter it keeps no buffer of its own and rents none
/// for escaping, so content is nowhere but in the pipe's wiping blocks. Well-formedness is the caller's business.
/// </summary>
internal sealed class JsonOutput
{
    /// <summary>Longest number: 25 characters of a double.</summary>
    private const int NumberBytesMax = 32;

    private PipeWriter? _pipe;

    public void Attach(PipeWriter pipe) => _pipe = pipe;

    public void Detach() => _pipe = null;

    private PipeWriter Pipe => _pipe ?? throw new InvalidOperationException("the output is not attached to a response");

    /// <summary>Bytes as they are: literals of this product, or JSON made before.</summary>
    public JsonOutput Raw(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var target = Pipe.GetSpan();
            var take = Math.Min(target.Length, bytes.Length);
            bytes[..take].CopyTo(target);
            Pipe.Advance(take);
            bytes = bytes[take..];
        }
        return this;
    }

    /// <summary>A string value with its quotes. <paramref name="text"/> is UTF-8; ill-formed parts become U+FFFD.</summary>
    public JsonOutput Text(ReadOnlySpan<byte> text) => Raw("\""u8).TextInside(text).Raw("\""u8);

    /// <summary>A part of a string value whose quotes the caller writes. Must not end inside a character.</summary>
    public JsonOutput TextInside(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var plain = PlainLength(text);
            Raw(text[..plain]);
            text = text[plain..];
            if (!text.IsEmpty) text = text[Escape(text)..];
        }
        return this;
    }

    public JsonOutput Number(long value)
    {
        var target = Pipe.GetSpan(NumberBytesMax);
        Utf8Formatter.TryFormat(value, target, out var written);
        Pipe.Advance(written);
        return this;
    }

    /// <summary>A finite float; JSON has no other (−∞, a token of probability 0, becomes −9999 as in OpenAI's answers).</summary>
    public JsonOutput Number(float value)
    {
        if (!float.IsFinite(value)) return Raw(value > 0 ? "9999.0"u8 : "-9999.0"u8);
        var target = Pipe.GetSpan(NumberBytesMax);
        value.TryFormat(target, out var written, default, System.Globalization.CultureInfo.InvariantCulture);
        Pipe.Advance(written);
        return this;
    }

    /// <summary>[72,105]</summary>
    public JsonOutput ByteArray(ReadOnlySpan<byte> bytes)
    {
        Raw("["u8);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i > 0) Raw(","u8);
            Number((long)bytes[i]);
        }
        return Raw("]"u8);
    }

    /// <summary>Bytes up to the first that cannot stand in a JSON string as it is.</summary>
    private static int PlainLength(ReadOnlySpan<byte> text)
    {
        var i = 0;
        while (i < text.Length)
        {
            var c = text[i];
            if (c is >= 0x20 and < 0x80 and not (byte)'"' and not (byte)'\\') { i++; continue; }
            if (c < 0x80 || Rune.DecodeFromUtf8(text[i..], out _, out var length) != OperationStatus.Done) break;
            i += length;
        }
        return i;
    }

    /// <summary>Writes the escape of the first byte or ill-formed part; returns how many bytes it stood for.</summary>
    private int Escape(ReadOnlySpan<byte> text)
    {
        var c = text[0];
        if (c >= 0x80)
        {
            Rune.DecodeFromUtf8(text, out _, out var consumed);
            Raw("\uFFFD"u8);
            return consumed;
        }
        switch (c)
        {
            case (byte)'"': Raw("\\\""u8); break;
            case (byte)'\\': Raw("\\\\"u8); break;
            case (byte)'\n': Raw("\\n"u8); break;
            case (byte)'\r': Raw("\\r"u8); break;
            case (byte)'\t': Raw("\\t"u8); break;
            default:
                Raw("\\u00"u8);
                var target = Pipe.GetSpan(2);
                target[0] = "0123456789abcdef"u8[c >> 4];
                target[1] = "0123456789abcdef"u8[c & 15];
                Pipe.Advance(2);
                break;
        }
        return 1;
    }
}
