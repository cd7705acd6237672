namespace AiFabrik.Engine.Scheduling;

/// <summary>Finds stop strings in a stream of bytes (Knuth, Morris, Pratt 1977), so that nothing depends on where tokens end.</summary>
internal static class StopStrings
{
    /// <summary>failure[i] = length of the longest proper prefix of <paramref name="stop"/> that ends at i.</summary>
    public static void BuildFailure(ReadOnlySpan<byte> stop, Span<int> failure)
    {
        failure[0] = 0;
        for (int i = 1, k = 0; i < stop.Length; i++)
        {
            while (k > 0 && stop[i] != stop[k]) k = failure[k - 1];
            if (stop[i] == stop[k]) k++;
            failure[i] = k;
        }
    }

    /// <summary>Takes one byte of text. Returns the length of the longest stop string that ends with it; 0 for none.</summary>
    /// <param name="bytes">All stop strings, one after the other; string s is [starts[s], starts[s + 1]).</param>
    /// <param name="matched">For each string how many of its bytes the text ends with.</param>
    public static int Feed(byte next, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> starts, ReadOnlySpan<int> failure, Span<int> matched)
    {
        var longest = 0;
        for (var s = 0; s < matched.Length; s++)
        {
            var stop = bytes[starts[s]..starts[s + 1]];
            var k = matched[s];
            while (k > 0 && stop[k] != next) k = failure[starts[s] + k - 1];
            if (stop[k] == next) k++;
            if (k == stop.Length)
            {
                longest = Math.Max(longest, k);
                k = failure[starts[s] + k - 1];
            }
            matched[s] = k;
        }
        return longest;
    }

    /// <summary>Bytes at the end of the text that may be the beginning of a stop string.</summary>
    public static int HeldBytes(ReadOnlySpan<int> matched)
    {
        var longest = 0;
        foreach (var k in matched) longest = Math.Max(longest, k);
        return longest;
    }
}
