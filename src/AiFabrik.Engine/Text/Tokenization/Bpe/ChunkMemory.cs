namespace AiFabrik.Engine.Text.Tokenization.Bpe;

/// <summary>
/// What a long piece's chunks became, and which borders between tokens are sound: a small table in which newer entries
/// displace older ones. Pinned, so that it can be wiped.
/// </summary>
internal sealed class ChunkMemory
{
    private const int Slots = 64, ChunkMax = 2 * Merger.ChunkSymbols, BorderSlots = 256;

    // For each slot: where its symbols lie in the piece (end 0: none), and how many tokens they became.
    private int[] _start = [], _end = [], _count = [], _ids = [], _first = [];
    private int[] _left = [], _right = [];
    private byte[] _border = [];

    /// <summary>Starts on a new piece: places in the one before mean nothing.</summary>
    internal void Begin()
    {
        if (_start.Length == 0)
        {
            BpeScratch.Ensure(ref _start, Slots);
            BpeScratch.Ensure(ref _end, Slots);
            BpeScratch.Ensure(ref _count, Slots);
            BpeScratch.Ensure(ref _ids, Slots * ChunkMax);
            BpeScratch.Ensure(ref _first, Slots * ChunkMax);
            BpeScratch.Ensure(ref _left, BorderSlots);
            BpeScratch.Ensure(ref _right, BorderSlots);
            BpeScratch.Ensure(ref _border, BorderSlots);
        }

        _end.AsSpan(0, Slots).Clear();
        _border.AsSpan(0, BorderSlots).Clear();
    }

    /// <summary>The tokens of symbols that were merged before, and each one's first symbol.</summary>
    internal bool TryGet(ReadOnlySpan<int> symbols, int start, int end, out ReadOnlySpan<int> ids, out ReadOnlySpan<int> first)
    {
        ids = first = default;
        if (end - start > ChunkMax) return false;
        var slot = Slot(symbols, start, end);
        if (_end[slot] - _start[slot] != end - start || !symbols[_start[slot].._end[slot]].SequenceEqual(symbols[start..end])) return false;
        ids = _ids.AsSpan(slot * ChunkMax, _count[slot]);
        first = _first.AsSpan(slot * ChunkMax, _count[slot]);
        return true;
    }

    internal void Keep(ReadOnlySpan<int> symbols, int start, int end, ReadOnlySpan<int> ids, ReadOnlySpan<int> first)
    {
        if (end - start > ChunkMax) return;
        var slot = Slot(symbols, start, end);
        (_start[slot], _end[slot], _count[slot]) = (start, end, ids.Length);
        ids.CopyTo(_ids.AsSpan(slot * ChunkMax));
        first.CopyTo(_first.AsSpan(slot * ChunkMax));
    }

    internal bool TryGetBorder(int left, int right, out bool isSound)
    {
        var slot = BorderSlot(left, right);
        isSound = _border[slot] == 1;
        return _border[slot] != 0 && _left[slot] == left && _right[slot] == right;
    }

    internal void KeepBorder(int left, int right, bool isSound)
    {
        var slot = BorderSlot(left, right);
        (_left[slot], _right[slot], _border[slot]) = (left, right, isSound ? (byte)1 : (byte)2);
    }

    internal void Clear()
    {
        Array.Clear(_start);
        Array.Clear(_end);
        Array.Clear(_count);
        Array.Clear(_ids);
        Array.Clear(_first);
        Array.Clear(_left);
        Array.Clear(_right);
        Array.Clear(_border);
    }

    private static int Slot(ReadOnlySpan<int> symbols, int start, int end)
    {
        var middle = (start + end) / 2;
        var h = (uint)symbols[start] * 0x9E3779B1u ^ (uint)symbols[middle] * 0x85EBCA77u ^ (uint)symbols[end - 1] * 0xC2B2AE3Du ^ (uint)(end - start);
        return (int)(h * 0x9E3779B1u >> 26);
    }

    private static int BorderSlot(int left, int right) => (int)(((uint)left * 0x9E3779B1u ^ (uint)right * 0x85EBCA77u) * 0xC2B2AE3Du >> 24);
}
