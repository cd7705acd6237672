namespace AiFabrik.Ptx;

/// <summary>A <c>cp.async</c> that a lane has issued; it lands when that lane waits for its group.</summary>
internal readonly record struct AsyncCopy(int SharedOffset, byte[] Source, int SourceOffset, int SourceBytes, int Bytes, int Group);

/// <summary>Asynchronous reads of shared memory that end with a group: bulk stores, and operands of wgmma.</summary>
internal readonly record struct AsyncRead(int SharedOffset, int Bytes, int Group, int Lane);

/// <summary>Copies in flight, by lane.</summary>
internal sealed partial class Warp
{
    private readonly List<AsyncCopy>[] _copies = [.. Enumerable.Range(0, 32).Select(_ => new List<AsyncCopy>())];
    private readonly List<AsyncRead> _reads = [];
    private readonly int[] _copyGroups = new int[32];
    private readonly int[] _readGroups = new int[33];

    /// <summary>The pseudo-lane whose groups are the warp's wgmma groups.</summary>
    public const int MatrixLane = 32;

    private void ResetAsync()
    {
        foreach (List<AsyncCopy> copies in _copies)
        {
            copies.Clear();
        }
        _reads.Clear();
        Array.Clear(_copyGroups);
        Array.Clear(_readGroups);
    }

    public void BeginCopy(int lane, Instruction instruction, int sharedOffset, byte[] source, int sourceOffset, int sourceBytes, int bytes)
    {
        Block.SharedShadow.Write(this, lane, sharedOffset, bytes, instruction, strong: false, sameValue: false);
        Block.SharedShadow.Begin(sharedOffset, bytes, write: true);
        _copies[lane].Add(new AsyncCopy(sharedOffset, source, sourceOffset, sourceBytes, bytes, _copyGroups[lane]));
    }

    public void CommitCopies(int lane) => _copyGroups[lane]++;

    /// <summary>Lands all but the newest groups; a negative number lands all, committed or not.</summary>
    public void WaitCopies(int lane, int newest)
    {
        List<AsyncCopy> copies = _copies[lane];
        int landed = 0;
        foreach (AsyncCopy copy in copies)
        {
            if (newest >= 0 && copy.Group >= _copyGroups[lane] - newest)
            {
                break;
            }
            Span<byte> target = Block.Shared.AsSpan(copy.SharedOffset, copy.Bytes);
            target.Clear();
            copy.Source.AsSpan(copy.SourceOffset, copy.SourceBytes).CopyTo(target);
            Block.SharedShadow.End(this, lane, copy.SharedOffset, copy.Bytes, write: true);
            landed++;
        }
        copies.RemoveRange(0, landed);
    }

    public void BeginRead(int lane, int sharedOffset, int bytes)
    {
        Block.SharedShadow.Begin(sharedOffset, bytes, write: false);
        _reads.Add(new AsyncRead(sharedOffset, bytes, _readGroups[lane], lane));
    }

    public void CommitReads(int lane) => _readGroups[lane]++;

    public void WaitReads(int lane, int newest)
    {
        for (int i = _reads.Count - 1; i >= 0; i--)
        {
            AsyncRead read = _reads[i];
            if (read.Lane == lane && read.Group < _readGroups[lane] - newest)
            {
                Block.SharedShadow.End(this, lane % 32, read.SharedOffset, read.Bytes, write: false);
                _reads.RemoveAt(i);
            }
        }
    }

    /// <summary>Lands the bulk copies that signal an mbarrier.</summary>
    public void Land(Mbarrier barrier)
    {
        for (int i = 0; i < barrier.Copies.Count; i++)
        {
            BulkCopy copy = barrier.Copies[i];
            copy.Source.AsSpan(copy.SourceOffset, copy.Bytes).CopyTo(Block.Shared.AsSpan(copy.SharedOffset));
            Block.SharedShadow.End(copy.Warp, copy.Lane, copy.SharedOffset, copy.Bytes, write: true);
            barrier.CompleteBytes(copy.Warp, copy.Lane, copy.Bytes);
            copy.Warp.Time++;
        }
        barrier.Copies.Clear();
    }

    /// <summary>A range of any length: its first bytes are located with the alignment asked for, and the rest must lie in the same memory.</summary>
    public Located LocateRange(Space space, int lane, ulong address, int bytes, int alignment, PtxAccess access, Instruction instruction)
    {
        Located located = Locate(space, lane, address, alignment, access, instruction);
        int length = located.Buffer?.Data.Length ?? (located.Shadow == Block.SharedShadow ? Block.Shared.Length : 0);
        if (bytes > length - located.Offset)
        {
            PtxSpace where = located.Buffer is null ? PtxSpace.Shared : PtxSpace.Global;
            throw Fault(PtxFaultKind.OutOfBounds, lane, instruction, where, located.Offset, bytes, access, buffer: located.Buffer);
        }
        return located;
    }
}
