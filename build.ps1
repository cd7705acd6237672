#!/usr/bin/env pwsh
# The same verbs as build.sh: setup build test run bench format clean (default: build).
# On Linux and macOS this hands over to build.sh, so that there is one truth; on Windows it drives CMake and dotnet itself.
[CmdletBinding(PositionalBinding = $false)]
param(
    [Parameter(Position = 0)][ValidateSet('setup', 'build', 'test', 'run', 'bench', 'format', 'clean')][string]$Verb = 'build',
    [Parameter(ValueFromRemainingArguments = $true)][string[]]$Rest = @()
)
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
$configuration = if ($env:CONFIGURATION) { $env:CONFIGURATION } else { 'Release' }

if (-not $IsWindows) {
    & bash ./build.sh $Verb @Rest
    exit $LASTEXITCODE
}

function Invoke-Checked([string]$Command, [string[]]$Arguments) {
    & $Command @Arguments
    if ($LASTEXITCODE -ne 0) { throw "$Command $($Arguments -join ' ') failed with exit code $LASTEXITCODE" }
}

function Assert-Tools {
    foreach ($tool in 'dotnet', 'cmake') {
        if (-not (Get-Command $tool -ErrorAction SilentlyContinue)) {
            throw "$tool is missing. Run: winget install Microsoft.DotNet.SDK.10 Kitware.CMake Microsoft.VisualStudio.2022.BuildTools"
        }
    }
}

function Build-All {
    Assert-Tools
    Invoke-Checked cmake @('-S', 'native', '-B', 'native/build', '-DCMAKE_BUILD_TYPE=Release')
    Invoke-Checked cmake @('--build', 'native/build', '--config', 'Release', '--parallel')
    Invoke-Checked dotnet @('publish', 'src/AiFabrik.Host', '-c', $configuration, '-o', 'out/app', '-v', 'q', '-nologo')
    Set-Content -Path out/aifabrik.cmd -Value "@dotnet `"%~dp0app\aifabrik.dll`" %*"
}

switch ($Verb) {
    'setup' { Assert-Tools }
    'build' { Build-All }
    'test' {
        Assert-Tools
        # Before anything else restores: that would write the lock files anew instead of holding to them.
        Invoke-Checked dotnet @('restore', 'AiFabrik.sln', '--locked-mode', '-v', 'q', '-nologo')
        Build-All
        Invoke-Checked ctest @('--test-dir', 'native/build', '-C', 'Release', '--output-on-failure')
        Invoke-Checked dotnet (@('test', '--solution', 'AiFabrik.sln', '-c', $configuration) + $Rest)
    }
    'run' { Build-All; & out/aifabrik.cmd serve @Rest; exit $LASTEXITCODE }
    'bench' { Build-All; Invoke-Checked dotnet (@('run', '-c', 'Release', '--project', 'benchmarks/AiFabrik.Benchmarks', '--') + $Rest) }
    'format' { Invoke-Checked dotnet (@('format', 'AiFabrik.sln') + $Rest) }
    'clean' {
        Remove-Item -Recurse -Force out, native/build, native/build-asan -ErrorAction SilentlyContinue
        Get-ChildItem src, tests, benchmarks -Recurse -Directory -Include bin, obj | Remove-Item -Recurse -Force
    }
}
