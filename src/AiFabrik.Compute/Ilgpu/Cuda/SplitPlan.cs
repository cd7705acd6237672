namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>How the sum over K of a product is split among groups where its tiles alone would not fill the device.</summary>
/// <param name="Count">Splits; with more than one, parts go to a workspace and <see cref="Kernels.SplitSumKernel"/> joins them.</param>
/// <param name="Cols">Values of K of each split but the last, a multiple of the kernel's unit.</param>
internal readonly record struct SplitPlan(int Count, int Cols)
{
    /// <summary>Splits at most: beyond it, the workspace's traffic outweighs what more groups bring.</summary>
    public const int CountMax = 16;

    /// <summary>Everything in one split.</summary>
    public static SplitPlan Whole(int cols) => new(1, cols);

    /// <summary>
    /// As many splits as give each multiprocessor <paramref name="groupsWanted"/> groups, with at least <paramref name="unit"/> values of K each.
    /// </summary>
    /// <param name="cols">K.</param>
    /// <param name="unit">What a split's length must be a multiple of: 32 for the narrow GEMMs, <c>SplitUnit</c> of a GEMV kernel.</param>
    /// <param name="tiles">Groups without splits.</param>
    /// <param name="multiprocessors">Of the device.</param>
    /// <param name="groupsWanted">Groups for each multiprocessor: the planned occupancy.</param>
    public static SplitPlan For(int cols, int unit, int tiles, int multiprocessors, int groupsWanted)
    {
        int units = (cols + unit - 1) / unit;
        int wanted = Math.Clamp(multiprocessors * groupsWanted / Math.Max(tiles, 1), 1, Math.Min(units, CountMax));
        if (wanted == 1)
        {
            return Whole(cols);
        }
        int each = (units + wanted - 1) / wanted * unit;
        return new SplitPlan((cols + each - 1) / each, each);
    }

    /// <summary>Floats of workspace that the parts need; 0 for one split.</summary>
    public long WorkspaceFloats(int tokens, int rows) => Count > 1 ? (long)Count * tokens * rows : 0;
}
