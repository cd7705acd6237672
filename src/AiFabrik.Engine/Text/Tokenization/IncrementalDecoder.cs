using AiFabrik.Engine.Text.Tokenization.Steps;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text;

/// <summary>
/// Ids to UTF-8, one at a time. Emits whole characters only: each maximal ill-formed part becomes U+FFFD, a character that
/// may still be completed is held back. In raw mode it emits the bytes that ids stand for, whatever they are.
/// Holds at most one unfinished character; allocates nothing.
/// </summary>
public sealed class IncrementalDecoder
{
    private static readonly byte[] Replacement = [0xEF, 0xBF, 0xBD];
    private readonly Tokenizer _tokenizer;
    private readonly DecoderSteps _steps;
    private readonly bool _skipsSpecial, _isRaw;
    private readonly byte[] _pending = GC.AllocateArray<byte>(4, pinned: true);
    private int _pendingCount, _toStrip, _heldBack;
    private bool _isFirst;

    internal IncrementalDecoder(Tokenizer tokenizer, bool skipSpecial, bool rawBytes)
    {
        _tokenizer = tokenizer;
        _steps = tokenizer.Decoder.Steps;
        (_skipsSpecial, _isRaw) = (skipSpecial, rawBytes);
        Reset();
    }

    /// <summary>Space that <see cref="TryAppend"/> and <see cref="TryFlush"/> need at most for one call.</summary>
    public int BytesPerCallMax => _tokenizer.DecodedBytesMax;

    /// <summary>Starts a new text; forgets (and zeroes) what was held back.</summary>
    public void Reset()
    {
        Array.Clear(_pending);
        _pendingCount = _heldBack = 0;
        _isFirst = true;
        _toStrip = _steps.StripStart;
    }

    /// <summary>Adds an id. An id outside the vocabulary adds nothing. False, and nothing done, if <paramref name="output"/> is smaller than <see cref="BytesPerCallMax"/> and too small for this id.</summary>
    public bool TryAppend(int id, Span<byte> output, out int written)
    {
        written = 0;
        if ((uint)id >= (uint)_tokenizer.VocabSize || (_skipsSpecial && _tokenizer.IsControl(id)) || !_tokenizer.IsToken(id)) return true;
        var bytes = _tokenizer.Decoder.Bytes(id, _isFirst);
        if (output.Length < _tokenizer.DecodedBytesMax && output.Length < Needed(bytes.Length)) return false;
        if (_steps.JoinsWithSpace && !_isFirst) EmitPart(" "u8, output, ref written);
        _isFirst = false;
        EmitPart(bytes, output, ref written);
        return true;
    }

    /// <summary>Ends the text: what was held back and can't be completed becomes U+FFFD.</summary>
    public bool TryFlush(Span<byte> output, out int written)
    {
        written = 0;
        if (output.Length < Needed(0)) return false;
        if (_pendingCount > 0) EmitCharacter(Replacement, output, ref written);
        Array.Clear(_pending);
        _pendingCount = _heldBack = 0;
        return true;
    }

    private int Needed(int bytes) => 3 * Math.Max(1, _steps.Replacement.Length) * (bytes + _pendingCount + 1) + (_heldBack * _steps.StripContent.Length);

    private void EmitPart(ReadOnlySpan<byte> bytes, Span<byte> output, ref int written)
    {
        if (_isRaw)
        {
            EmitRaw(bytes, output, ref written);
            return;
        }

        var isPlain = _toStrip == 0 && _steps.StripStop == 0 && _steps.Replaced.Length == 0;
        if (isPlain && _pendingCount == 0 && System.Text.Unicode.Utf8.IsValid(bytes))
        {
            bytes.CopyTo(output[written..]);
            written += bytes.Length;
            return;
        }

        while (!bytes.IsEmpty)
        {
            if (_pendingCount > 0)
            {
                // One byte at a time until the held-back character is whole or known to be ill-formed.
                _pending[_pendingCount++] = bytes[0];
                var state = Utf8Text.Inspect(_pending.AsSpan(0, _pendingCount));
                if (state < 0)
                {
                    // The last byte broke it: it starts anew.
                    EmitCharacter(Replacement, output, ref written);
                    _pendingCount = 0;
                    continue;
                }

                bytes = bytes[1..];
                if (state == 0) continue;
                EmitCharacter(_pending.AsSpan(0, state), output, ref written);
                _pendingCount = 0;
                continue;
            }

            var length = Utf8Text.Inspect(bytes);
            if (length > 0)
            {
                EmitCharacter(bytes[..length], output, ref written);
            }
            else if (length < 0)
            {
                EmitCharacter(Replacement, output, ref written);
                length = -length;
            }
            else
            {
                bytes.CopyTo(_pending);
                _pendingCount = length = bytes.Length;
            }

            bytes = bytes[length..];
        }
    }

    private void EmitRaw(ReadOnlySpan<byte> bytes, Span<byte> output, ref int written)
    {
        var strip = _steps.StripContent;
        while (_toStrip > 0 && !bytes.IsEmpty)
        {
            if (!bytes.StartsWith(strip))
            {
                _toStrip = 0;
                break;
            }

            bytes = bytes[strip.Length..];
            _toStrip--;
        }

        bytes.CopyTo(output[written..]);
        written += bytes.Length;
    }

    private void EmitCharacter(ReadOnlySpan<byte> character, Span<byte> output, ref int written)
    {
        if (_steps.Replaced.Length > 0 && character.SequenceEqual(_steps.Replaced)) character = _steps.Replacement;
        var strip = _steps.StripContent;
        if (strip.Length > 0)
        {
            var isContent = character.SequenceEqual(strip);
            if (_toStrip > 0 && isContent)
            {
                _toStrip--;
                return;
            }

            _toStrip = 0;
            if (_steps.StripStop > 0 && isContent && _heldBack < _steps.StripStop)
            {
                _heldBack++;
                return;
            }

            if (!isContent)
            {
                for (; _heldBack > 0; _heldBack--) Write(strip, output, ref written);
            }
        }

        Write(character, output, ref written);
    }

    private static void Write(ReadOnlySpan<byte> bytes, Span<byte> output, ref int written)
    {
        bytes.CopyTo(output[written..]);
        written += bytes.Length;
    }
}
