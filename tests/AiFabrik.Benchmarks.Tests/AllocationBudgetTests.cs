using System.Text.Json;
using AiFabrik.Benchmarks.Operations;
using Xunit;

namespace AiFabrik.Benchmarks.Tests;

/// <summary>The managed bytes that each step of a request may allocate (benchmarks/allocation-budgets.json).</summary>
public sealed class AllocationBudgetTests
{
    private static readonly Dictionary<string, long> Budgets =
        JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "allocation-budgets.json")))!;

    public static TheoryData<string> Names => new(Operation.All.Keys);

    [Fact]
    public void Every_operation_has_a_budget_and_every_budget_an_operation() => Assert.Equal(Operation.All.Keys.Order(), Budgets.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void Stays_within_its_budget(string name)
    {
        using var operation = Operation.All[name]();
        Assert.Equal(name, operation.Name);
        Assert.InRange(operation.MeasureAllocatedBytes(), 0, Budgets[name]);
    }
}
