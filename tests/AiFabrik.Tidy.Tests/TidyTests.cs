using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Xunit;

namespace AiFabrik.Tidy.Tests;

/// <summary>The rules of the house that a compiler does not keep (ARCHITECTURE.md, "What tidy keeps").</summary>
public sealed class TidyTests
{
    private const int FileCodeLinesMax = 500;
    private const int FunctionLinesMax = 70;

    /// <summary>The only arrows that may exist between projects of src.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["AiFabrik.Host"] = ["AiFabrik.Engine", "AiFabrik.Accounts"],
        ["AiFabrik.Engine"] = ["AiFabrik.Compute"],
        ["AiFabrik.Compute"] = [],
        ["AiFabrik.Accounts"] = [],
    };

    [Fact]
    public void Projects_refer_to_each_other_only_along_the_arrows()
    {
        var found = new List<string>();
        foreach (var project in Directory.GetFiles(Path.Combine(Sources.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(project);
            Assert.True(Arrows.TryGetValue(name, out var allowed), $"{name} is a project that the design does not know.");
            foreach (var reference in XDocument.Load(project).Descendants("ProjectReference"))
            {
                var target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'));
                if (!allowed.Contains(target)) found.Add($"{name} → {target}");
            }
        }
        Assert.Empty(found);
    }

    [Fact]
    public void Files_stay_readable_in_one_sitting()
    {
        var found = Sources.Files("src", "benchmarks", "tests", "native")
            .Where(f => !f.Contains(".Table.", StringComparison.Ordinal))
            .Select(f => (File: Sources.Relative(f), Lines: CodeLines(File.ReadAllLines(f))))
            .Where(f => f.Lines > FileCodeLinesMax)
            .Select(f => $"{f.File}: {f.Lines} lines of code, {FileCodeLinesMax} at most");
        Assert.Empty(found);
    }

    [Fact]
    public void Functions_fit_a_screen()
    {
        var found = new List<string>();
        foreach (var file in Sources.Files("src", "benchmarks", "tests").Where(f => f.EndsWith(".cs", StringComparison.Ordinal) && !f.Contains(".Table.", StringComparison.Ordinal)))
        {
            var tree = CSharpSyntaxTree.ParseText(File.ReadAllText(file));
            foreach (var function in tree.GetRoot().DescendantNodes().Where(n => n is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax))
            {
                var span = tree.GetLineSpan(function.Span);
                var lines = span.EndLinePosition.Line - span.StartLinePosition.Line + 1;
                if (lines > FunctionLinesMax) found.Add($"{Sources.Relative(file)}:{span.StartLinePosition.Line + 1}: {lines} lines, {FunctionLinesMax} at most");
            }
        }
        Assert.Empty(found);
    }

    [Fact]
    public void Unsafe_code_is_in_Compute_and_the_TLS_files_only()
    {
        var found = Sources.Files("src")
            .Where(f => f.EndsWith(".cs", StringComparison.Ordinal) && !Sources.Relative(f).StartsWith("src/AiFabrik.Compute/", StringComparison.Ordinal) && !Sources.Relative(f).StartsWith("src/AiFabrik.Host/Http/Tls/", StringComparison.Ordinal))
            .Where(f => CSharpSyntaxTree.ParseText(File.ReadAllText(f)).GetRoot().DescendantTokens().Any(t => t.IsKind(SyntaxKind.UnsafeKeyword)))
            .Select(Sources.Relative);
        Assert.Empty(found);
    }

    [Fact]
    public void Content_never_meets_a_string_or_a_shared_pool_on_the_way_of_a_request()
    {
        string[] banned = ["ArrayPool<byte>.Shared", "ArrayPool<int>.Shared", "Encoding.UTF8.GetString", "JsonNode", "JsonSerializer.Deserialize", "StringBuilder"];
        string[] way = ["src/AiFabrik.Host/Http/", "src/AiFabrik.Engine/Scheduling/", "src/AiFabrik.Engine/Sampling/", "src/AiFabrik.Engine/Text/Templates/Runtime/", "src/AiFabrik.Compute/Programs/", "src/AiFabrik.Compute/Native/"];
        var found = from file in Sources.Files("src")
                    let relative = Sources.Relative(file)
                    where way.Any(w => relative.StartsWith(w, StringComparison.Ordinal))
                    let text = File.ReadAllText(file)
                    from word in banned
                    where text.Contains(word, StringComparison.Ordinal)
                    select $"{relative}: {word}";
        Assert.Empty(found);
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        var marks = new Regex(@"\b(TODO|FIXME|XXX|HACK)\b", RegexOptions.CultureInvariant);
        var found = Sources.Files("src", "native", "benchmarks", "tests")
            .Where(f => !f.EndsWith("TidyTests.cs", StringComparison.Ordinal) && marks.IsMatch(File.ReadAllText(f)))
            .Select(Sources.Relative);
        Assert.Empty(found);
    }

    [Fact]
    public void Every_kernel_has_a_reference_and_a_row_in_the_case_table()
    {
        var kernels = Path.Combine(Sources.Root, "src", "AiFabrik.Compute", "Ilgpu", "Kernels");
        if (!Directory.Exists(kernels)) Assert.Skip("there are no ILGPU kernels yet");
        var table = string.Concat(Directory.GetFiles(Path.Combine(Sources.Root, "tests", "AiFabrik.Compute.Tests"), "*Cases*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var found = new List<string>();
        foreach (var file in Directory.GetFiles(kernels, "*Kernel.cs", SearchOption.AllDirectories))
        {
            var name = Path.GetFileNameWithoutExtension(file);
            if (!File.ReadAllText(file).Contains("Reference:", StringComparison.Ordinal)) found.Add($"{name}: its header names no reference");
            if (!table.Contains(name, StringComparison.Ordinal)) found.Add($"{name}: no row in the case table");
        }
        Assert.Empty(found);
    }

    private static int CodeLines(string[] lines) => lines.Count(l => l.Trim() is { Length: > 0 } t && !t.StartsWith("//", StringComparison.Ordinal));
}
