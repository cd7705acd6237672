#!/usr/bin/env bash
# Measures AI Fabrik on an NVIDIA GPU.
#
#   benchmarks/gpu.sh pack DIR                    where the project builds: puts one self-contained publish of the host and its kernel tests, and this script, into DIR
#   DIR/gpu.sh run [--out FILE] [--shapes "llama-1b llama-8b"] [--types "bf16 q8_0 q4_0"] [--work DIR] [--device cuda]
#                                                 on a bare machine with an NVIDIA driver, no network: writes one JSON
#
# In the JSON: device, driver, commit; parity of every kernel; each kernel's time, bandwidth and rate; decode of 1, 8 and 64 sequences and prefill of 512 and
# 4096 tokens for each shape and weight type; the same of PyTorch in bf16, where python3 has torch with CUDA.
# Exit status: 0 all measured, 1 something failed (the JSON says what), 2 wrong use, 3 no NVIDIA GPU.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() { printf 'gpu.sh: %s\n' "$2" >&2; exit "$1"; }
say() { printf '== %s\n' "$*" >&2; }

# A JSON string of the first line of stdin.
quote() { head -n 1 | tr -d '\r\n' | sed 's/\\/\\\\/g; s/"/\\"/g; s/[[:cntrl:]]/ /g; s/^/"/; s/$/"/' | { read -r line || true; printf '%s' "${line:-\"\"}"; }; }

pack() {
  [ $# = 1 ] || die 2 "usage: benchmarks/gpu.sh pack DIR"
  mkdir -p "$1"
  local to root rid
  to=$(cd "$1" && pwd)
  root=$(cd "$here/.." && pwd)
  rid=linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
  cd "$root"
  say "publishing for $rid"
  dotnet publish src/AiFabrik.Host -c Release -r "$rid" --self-contained -o "$to/app" -v q -nologo -p:NuGetLockFilePath=obj/gpu.packages.lock.json
  dotnet publish tests/AiFabrik.Compute.Tests -c Release -r "$rid" --self-contained -o "$to/app" -v q -nologo -p:NuGetLockFilePath=obj/gpu.packages.lock.json
  { git rev-parse HEAD 2>/dev/null || echo unknown; } > "$to/COMMIT"
  git diff --quiet HEAD 2>/dev/null || echo "(with changes)" >> "$to/COMMIT"
  cp "$here/gpu.sh" "$to/gpu.sh"
  chmod +x "$to/gpu.sh"
  say "done: copy $to to the machine with the GPU and start $(basename "$to")/gpu.sh run"
}

# Appends a row to the array that is being written: the object on stdin, or a failure.
first_row=1
row() {
  [ "$first_row" = 1 ] || printf ',\n' >> "$out"
  first_row=0
  printf '    %s' "$1" >> "$out"
}
begin() { printf '  "%s": [\n' "$1" >> "$out"; first_row=1; }
finish() { printf '\n  ],\n' >> "$out"; }

# bench NAME MODEL ARGS...: the rows that `aifabrik bench --json` prints, or one that says that it failed.
bench() {
  local name=$1 model=$2 log="$work/bench.log"; shift 2
  say "$name: bench $*"
  if "$here/app/aifabrik" bench --model "$model" --device "$device" --json "$@" > "$log" 2> "$log.err"; then
    while IFS= read -r line; do
      case $line in '{'*) row "{\"case\": \"$name\", \"row\": $line}";; esac
    done < "$log"
  else
    failed=1
    row "{\"case\": \"$name\", \"arguments\": \"$*\", \"error\": $(quote < "$log.err")}"
  fi
}

models() {
  begin models
  local shape type model
  for shape in $shapes; do
    for type in $types; do
      model="$work/$shape-$type.gguf"
      say "$shape $type: writing random weights"
      if ! "$here/app/aifabrik" model synth --shape "$shape" --type "$type" --out "$model" > /dev/null 2> "$work/synth.err"; then
        failed=1
        row "{\"case\": \"$shape $type\", \"error\": $(quote < "$work/synth.err")}"
        rm -f "$model"
        continue
      fi
      bench "$shape $type" "$model" --prompt 512 --decode 128 --sequences 1 --repeats 5
      bench "$shape $type" "$model" --prompt 128 --decode 64 --sequences 8 --repeats 5
      bench "$shape $type" "$model" --prompt 128 --decode 64 --sequences 64 --repeats 3
      bench "$shape $type" "$model" --prompt 4096 --decode 0 --sequences 1 --repeats 3
      rm -f "$model"
    done
  done
  finish
}

# Parity first: a number of a kernel that is wrong means nothing. The timings come from the same program.
kernels() {
  say "parity and time of every kernel"
  local log="$work/kernels.jsonl" parity=true
  rm -f "$log"
  if ! AIFABRIK_GPU_BENCH="$log" "$here/app/AiFabrik.Compute.Tests" --filter-class "*CudaDeviceTests" > "$work/parity.log" 2>&1; then
    parity=false
    failed=1
  fi
  # A test that was skipped for want of a device passes: here that is a failure.
  if grep -q '^skipped .*are_right' "$work/parity.log"; then
    parity=false
    failed=1
  fi
  printf '  "kernel_parity": {"passed": %s, "summary": %s},\n' "$parity" "$( (grep -E '^(failed|skipped|Test run summary)' "$work/parity.log" || echo 'no summary') | quote)" >> "$out"
  begin kernels
  if [ -s "$log" ]; then
    while IFS= read -r line; do row "$line"; done < "$log"
  fi
  finish
}

torch() {
  begin pytorch
  if command -v python3 >/dev/null 2>&1 && python3 -c 'import torch, sys; sys.exit(0 if torch.cuda.is_available() else 1)' 2>/dev/null; then
    local shape
    for shape in $shapes; do
      say "PyTorch: $shape"
      if python3 - "$shape" > "$work/torch.log" 2> "$work/torch.err" <<'PYTHON'
# The same shapes in plain PyTorch, bf16, random weights: scaled_dot_product_attention, a static KV cache, a decode step as one CUDA graph.
import json, statistics, sys, time
import torch
import torch.nn.functional as F

SHAPES = {  # layers, hidden, ffn, heads, kv heads, head dim, vocabulary
    "smollm2-135m": (30, 576, 1536, 9, 3, 64, 49152),
    "llama-1b": (16, 2048, 8192, 32, 8, 64, 128256),
    "llama-8b": (32, 4096, 14336, 32, 8, 128, 128256),
}
layers, hidden, ffn, heads, kv, dim, vocab = SHAPES[sys.argv[1]]
gpu = dict(device="cuda", dtype=torch.bfloat16)
torch.manual_seed(1)

def weight(rows, cols):
    return torch.empty(rows, cols, **gpu).normal_(0, cols ** -0.5)

blocks = [dict(qkv=weight((heads + 2 * kv) * dim, hidden), o=weight(hidden, heads * dim), gu=weight(2 * ffn, hidden), down=weight(hidden, ffn),
               n1=torch.ones(hidden, **gpu), n2=torch.ones(hidden, **gpu)) for _ in range(layers)]
embed, norm = weight(vocab, hidden), torch.ones(hidden, **gpu)
head = embed if sys.argv[1] != "llama-8b" else weight(vocab, hidden)

def rope_table(context):
    inverse = 500000.0 ** (-torch.arange(0, dim, 2, device="cuda", dtype=torch.float32) / dim)
    angles = torch.outer(torch.arange(context, device="cuda", dtype=torch.float32), inverse)
    return torch.cos(angles).to(torch.bfloat16), torch.sin(angles).to(torch.bfloat16)

def rope(x, cos, sin):  # x [batch, heads, tokens, dim]
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

def step(ids, positions, keys, values, tables, mask, causal):
    batch, tokens = ids.shape
    x = F.embedding(ids, embed)
    cos, sin = tables[0][positions], tables[1][positions]
    for i, w in enumerate(blocks):
        h = F.rms_norm(x, (hidden,), w["n1"], 1e-5)
        qkv = F.linear(h, w["qkv"]).view(batch, tokens, heads + 2 * kv, dim).transpose(1, 2)
        q, k, v = qkv.split([heads, kv, kv], 1)
        keys[i].index_copy_(2, positions, rope(k, cos, sin))
        values[i].index_copy_(2, positions, v)
        k, v = (keys[i][:, :, :tokens], values[i][:, :, :tokens]) if causal else (keys[i], values[i])
        a = F.scaled_dot_product_attention(rope(q, cos, sin), k, v, attn_mask=mask, is_causal=causal, enable_gqa=True)
        x = x + F.linear(a.transpose(1, 2).reshape(batch, tokens, heads * dim), w["o"])
        gate, up = F.linear(F.rms_norm(x, (hidden,), w["n2"], 1e-5), w["gu"]).chunk(2, -1)
        x = x + F.linear(F.silu(gate) * up, w["down"])
    return F.linear(F.rms_norm(x[:, -1:], (hidden,), norm, 1e-5), head).argmax(-1)

def cache(batch, context):
    return [torch.zeros(batch, kv, context, dim, **gpu) for _ in range(layers)], [torch.zeros(batch, kv, context, dim, **gpu) for _ in range(layers)]

def report(test, rates, **more):
    print(json.dumps(dict(shape=sys.argv[1], type="bf16", test=test, tokens_per_second=statistics.median(rates), tokens_per_second_min=min(rates),
                          tokens_per_second_max=max(rates), torch=torch.__version__, **more)), flush=True)

def prefill(tokens, repeats=5):
    keys, values = cache(1, tokens)
    tables, positions = rope_table(tokens), torch.arange(tokens, device="cuda")
    ids, rates = torch.randint(0, vocab, (1, tokens), device="cuda"), []
    for i in range(repeats + 2):
        torch.cuda.synchronize(); start = time.perf_counter()
        step(ids, positions, keys, values, tables, None, True)
        torch.cuda.synchronize()
        if i >= 2: rates.append(tokens / (time.perf_counter() - start))
    report(f"pp{tokens}", rates, sequences=1)

def decode(batch, prompt, count, repeats=5):
    context = prompt + count
    keys, values = cache(batch, context)
    tables, position = rope_table(context), torch.tensor([prompt], device="cuda")
    ids = torch.randint(0, vocab, (batch, 1), device="cuda")
    slots = torch.arange(context, device="cuda")
    def one():
        mask = (slots <= position).view(1, 1, 1, context)
        ids.copy_(step(ids, position, keys, values, tables, mask, False))
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3): one()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph): one()
    rates = []
    for _ in range(repeats):
        position.fill_(prompt)
        torch.cuda.synchronize(); start = time.perf_counter()
        for _ in range(count):
            graph.replay()
            position.add_(1)
        torch.cuda.synchronize()
        rates.append(batch * count / (time.perf_counter() - start))
    report(f"tg{count}" + (f" x{batch}" if batch > 1 else ""), rates, sequences=batch)

with torch.inference_mode():
    prefill(512)
    prefill(4096)
    decode(1, 512, 128)
    decode(8, 128, 64)
    decode(64, 128, 64)
PYTHON
      then :; else failed=1; row "{\"shape\": \"$shape\", \"error\": $(tail -n 1 "$work/torch.err" | quote)}"; fi
      while IFS= read -r line; do row "$line"; done < "$work/torch.log"
    done
  fi
  finish
}

run() {
  local keep_work=
  out=gpu-results.json shapes="llama-1b llama-8b" types="bf16 q8_0 q4_0" work= device=cuda failed=0
  while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || die 2 "$1 needs a value"
    case $1 in
      --out) out=$2;;
      --shapes) shapes=$2;;
      --types) types=$2;;
      --work) work=$2 keep_work=1;;
      --device) device=$2;;
      *) die 2 "unknown option $1";;
    esac
    shift 2
  done
  [ -x "$here/app/aifabrik" ] || die 2 "$here/app/aifabrik is missing: this must run from what 'gpu.sh pack' made"
  command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1 || die 3 "no NVIDIA GPU: nvidia-smi finds none"
  if [ -z "$work" ]; then work=$(mktemp -d); else mkdir -p "$work"; fi
  [ -n "$keep_work" ] || trap 'rm -rf "$work"' EXIT
  export DOTNET_EnableDiagnostics=0
  printf '{\n' > "$out"
  printf '  "device": %s,\n' "$(nvidia-smi --query-gpu=name --format=csv,noheader | quote)" >> "$out"
  printf '  "driver": %s,\n' "$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | quote)" >> "$out"
  printf '  "memory": %s,\n' "$(nvidia-smi --query-gpu=memory.total --format=csv,noheader | quote)" >> "$out"
  printf '  "clocks_max": %s,\n' "$(nvidia-smi --query-gpu=clocks.max.sm,clocks.max.memory --format=csv,noheader | quote)" >> "$out"
  printf '  "commit": %s,\n' "$(tr '\n' ' ' < "$here/COMMIT" | sed 's/ $//' | quote)" >> "$out"
  printf '  "date": "%s",\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >> "$out"
  kernels
  models
  torch
  printf '  "complete": %s\n}\n' "$([ "$failed" = 0 ] && echo true || echo false)" >> "$out"
  say "written: $out"
  [ "$failed" = 0 ] || exit 1
}

case ${1:-} in
  pack) shift; pack "$@";;
  run) shift; run "$@";;
  *) die 2 "usage: gpu.sh pack DIR | gpu.sh run [--out FILE] [--shapes LIST] [--types LIST] [--work DIR] [--device cuda[:i]]";;
esac
