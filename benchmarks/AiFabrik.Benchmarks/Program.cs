using BenchmarkDotNet.Running;

// dotnet run -c Release --project benchmarks/AiFabrik.Benchmarks -- --filter '*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
