namespace AiFabrik.Ptx;

/// <summary>
/// The blocks of a launch, dealt to threads in turn, so that which thread runs a block does not depend on time. Of several faults the one of the
/// first block counts, as if they had run in order. Where blocks may meet in atomics one thread runs all.
/// </summary>
internal sealed class GridRun
{
    private readonly Launch[] _parts;
    private readonly Dim3 _grid;
    private readonly Lock _gate = new();
    private long _firstFault = long.MaxValue;
    private PtxFault? _fault;

    public GridRun(Launch launch, int workers)
    {
        _grid = launch.Grid;
        int parts = launch.Module.HasAtomics ? 1 : (int)Math.Min(workers, launch.Grid.Count);
        _parts = new Launch[parts];
        for (int p = 0; p < parts; p++)
        {
            _parts[p] = p == 0 ? launch : launch with { Worker = p, Memory = launch.Memory.View(), AtomicClocks = [] };
        }
    }

    public int Clock => _parts.Max(p => p.Clock);
    public long WarpInstructions => _parts.Sum(p => p.WarpInstructions);
    public long ThreadInstructions => _parts.Sum(p => p.ThreadInstructions);

    /// <summary>Runs all blocks, or those before the first fault.</summary>
    public PtxFault? Go()
    {
        if (_parts.Length == 1)
        {
            Go(0);
        }
        else
        {
            Parallel.For(0, _parts.Length, Go);
        }
        return _fault;
    }

    private void Go(int part)
    {
        var block = new Block(_parts[part]);
        for (long b = part; b < _grid.Count && b < Volatile.Read(ref _firstFault); b += _parts.Length)
        {
            try
            {
                block.Run(new Dim3((int)(b % _grid.X), (int)(b / _grid.X % _grid.Y), (int)(b / _grid.X / _grid.Y)));
            }
            catch (PtxFaultException fault)
            {
                lock (_gate)
                {
                    if (b < _firstFault)
                    {
                        (_firstFault, _fault) = (b, fault.Fault);
                    }
                }
                return;
            }
        }
    }
}
