using AiFabrik.Benchmarks;
using BenchmarkDotNet.Running;

// dotnet run -c Release --project benchmarks/AiFabrik.Benchmarks -- --filter '*'
// dotnet run -c Release --project benchmarks/AiFabrik.Benchmarks -- tokenizer load|linear|prose …
if (args is ["tokenizer", .. var rest]) return TokenizerThroughput.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(RequestPathBenchmarks).Assembly).Run(args);
return 0;
