using BenchmarkDotNet.Running;

// dotnet run -c Release --project benchmarks/AiFabrik.Benchmarks -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(AiFabrik.Benchmarks.Operations.Operation).Assembly).Run(args);
