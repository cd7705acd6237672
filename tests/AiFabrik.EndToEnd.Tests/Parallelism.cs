using Xunit.Sdk;
using Xunit.v3;

// A server uses all cores; two side by side would only measure each other.
[assembly: Parallelization(Mode = ParallelMode.None)]
