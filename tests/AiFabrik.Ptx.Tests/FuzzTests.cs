using System.Globalization;
using System.Text;
using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Changed programs: the parser must answer, and the machine must stop, with no exception of any other kind.</summary>
public sealed class FuzzTests
{
    private const int IterationsDefault = 600;

    private static readonly string[] s_pieces =
    [
        ";", ",", "{", "}", "[", "]", "(", ")", "0", "-1", "4294967295", "0f7FC00000", "%r1", "%rd1", "%p1", "%tid.x", "bra", "bar.sync", "ld.shared.u32",
        ".reg .b32 %r<1048576>;", ".shared .b8 big[200000];", "@%p1", "!", "|", ":", "ret;", "exit;", ".global", ".u64", ".v4", "shfl.sync.idx.b32", "\"", "/*",
        "%laneid", "call", "mma.sync", ".extern", ".f16x2", "<9999999>", "cp.async.wait_group 0;", "16", "mbarrier.init.shared.b64",
    ];

    [Fact]
    public void Changed_programs_neither_crash_nor_hang()
    {
        int iterations = int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : IterationsDefault;
        var random = new Random(20250101);
        GoldenCase[] cases = [.. GoldenCase.All.Values.Where(c => File.Exists(PathOf(c)))];
        var options = new PtxMachineOptions { WarpInstructionsMax = 20_000 };
        int parsed = 0;
        for (int i = 0; i < iterations; i++)
        {
            GoldenCase golden = cases[random.Next(cases.Length)];
            string text = Mutate(File.ReadAllText(PathOf(golden)), random);
            if (!PtxModule.TryParse(text, out PtxModule? module, out PtxError? error))
            {
                Assert.NotEqual("", error!.Message);
                continue;
            }
            parsed++;
            try
            {
                new GoldenCase(golden.Json).Run(module!, new PtxMachine(options));
            }
            catch (ArgumentException)
            {
                // The kernel's name, its parameters or its shared memory no longer fit the launch.
            }
        }
        Assert.True(parsed > iterations / 20, $"only {parsed} changed programs could be parsed");
    }

    private static string PathOf(GoldenCase golden) => Path.Combine(GoldenCase.Root, "ptx", golden.Json.GetProperty("file").GetString()!);

    private static string Mutate(string text, Random random)
    {
        var builder = new StringBuilder(text);
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(builder.Length);
            switch (random.Next(6))
            {
                case 0:
                    builder.Remove(at, Math.Min(random.Next(1, 12), builder.Length - at));
                    break;
                case 1:
                    builder.Insert(at, s_pieces[random.Next(s_pieces.Length)]);
                    break;
                case 2:
                    builder[at] = (char)random.Next(32, 127);
                    break;
                case 3:
                    ReplaceDigit(builder, at, random);
                    break;
                case 4:
                    SwapLines(builder, random);
                    break;
                default:
                    DropLine(builder, at);
                    break;
            }
        }
        return builder.ToString();
    }

    private static void ReplaceDigit(StringBuilder builder, int at, Random random)
    {
        while (at < builder.Length - 1 && !char.IsAsciiDigit(builder[at]))
        {
            at++;
        }
        builder[at] = (char)('0' + random.Next(10));
    }

    private static void SwapLines(StringBuilder builder, Random random)
    {
        string[] lines = builder.ToString().Split('\n');
        int a = random.Next(lines.Length), b = random.Next(lines.Length);
        (lines[a], lines[b]) = (lines[b], lines[a]);
        builder.Clear().AppendJoin('\n', lines);
    }

    private static void DropLine(StringBuilder builder, int at)
    {
        string text = builder.ToString();
        int start = text.LastIndexOf('\n', at) + 1;
        int end = text.IndexOf('\n', at);
        end = Math.Max(end < 0 ? text.Length : end, start);
        builder.Remove(start, end - start);
    }
}
