// Random weights and columns, and sums in double precision, for the tests and the benchmark of the matrix products.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>
#include "../src/matmul/kernel/act_block.h"
#include "aifabrik/matmul.h"

namespace aifabrik::test {

struct NamedType {
    const char* name;
    WeightType type;
};
inline constexpr NamedType kTypes[] = {
    {"F32", WeightType::F32}, {"F16", WeightType::F16}, {"BF16", WeightType::BF16}, {"Q8_0", WeightType::Q8_0},
    {"Q4_0", WeightType::Q4_0}, {"Q4_1", WeightType::Q4_1}, {"Q5_0", WeightType::Q5_0}, {"Q5_1", WeightType::Q5_1},
    {"Q2_K", WeightType::Q2_K}, {"Q3_K", WeightType::Q3_K}, {"Q4_K", WeightType::Q4_K}, {"Q5_K", WeightType::Q5_K},
    {"Q6_K", WeightType::Q6_K}, {"IQ4_NL", WeightType::IQ4_NL}, {"IQ4_XS", WeightType::IQ4_XS}, {"MXFP4", WeightType::MXFP4},
};

struct Random {
    uint64_t state = 88172645463325252ull;
    uint64_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return state;
    }
    float unit() { return static_cast<float>(next() >> 40) / 8388608.0f - 1.0f; }   // -1..1
};

// Exactly `size` bytes on a cache line, so that the address sanitizer sees the first byte beyond.
struct Buffer {
    struct Free { void operator()(void* p) const { free(p); } };
    std::unique_ptr<uint8_t, Free> bytes;
    explicit Buffer(size_t size) {
        void* p = nullptr;
        if (posix_memalign(&p, 64, size == 0 ? 64 : size) != 0) abort();
        bytes.reset(static_cast<uint8_t*>(p));
        memset(p, 0xA5, size);
    }
    uint8_t* get() const { return bytes.get(); }
    float* floats() const { return reinterpret_cast<float*>(bytes.get()); }
};

// Positive normal numbers between 1/256 and 1/64 as float16.
inline uint16_t random_half(Random& random) { return static_cast<uint16_t>(0x1c00 + random.next() % 0x800); }

// A matrix in the file's format: random bits with ordinary scales.
inline std::vector<uint8_t> random_weights(WeightType type, int rows, int cols, Random& random) {
    std::vector<uint8_t> out(weight_row_bytes(type, cols) * static_cast<size_t>(rows));
    const size_t block = weight_block_bytes(type);
    for (size_t at = 0; at < out.size(); at += block) {
        uint8_t* p = out.data() + at;
        for (size_t i = 0; i < block; i++) p[i] = static_cast<uint8_t>(random.next() >> 30);
        const auto half_at = [&](size_t offset) {
            const uint16_t value = random_half(random);
            memcpy(p + offset, &value, 2);
        };
        const float value = random.unit();
        uint32_t bits;
        memcpy(&bits, &value, 4);
        const uint16_t top = static_cast<uint16_t>(bits >> 16);
        switch (type) {
            case WeightType::F32: memcpy(p, &value, 4); break;
            case WeightType::BF16: memcpy(p, &top, 2); break;
            case WeightType::F16: half_at(0); p[1] ^= static_cast<uint8_t>(random.next() >> 20 & 0x80); break;
            case WeightType::MXFP4: p[0] = static_cast<uint8_t>(118 + random.next() % 6); break;
            case WeightType::Q4_1:
            case WeightType::Q5_1:
            case WeightType::Q4_K:
            case WeightType::Q5_K: half_at(0); half_at(2); break;
            case WeightType::Q2_K: half_at(80); half_at(82); break;
            case WeightType::Q3_K: half_at(108); break;
            case WeightType::Q6_K: half_at(208); break;
            default: half_at(0);
        }
    }
    return out;
}

inline std::vector<float> random_floats(size_t count, Random& random) {
    std::vector<float> out(count);
    for (float& value : out) value = random.unit() * (random.next() % 16 == 0 ? 4.0f : 1.0f);
    return out;
}

// What a prepared column stands for.
inline std::vector<double> column_values(ActFamily family, const uint8_t* act, int cols) {
    std::vector<double> out(static_cast<size_t>(cols));
    for (int k = 0; k < cols; k++) {
        if (family == ActFamily::Float32) {
            out[static_cast<size_t>(k)] = reinterpret_cast<const float*>(act)[k];
        } else if (family == ActFamily::Bfloat16) {
            const uint32_t bits = static_cast<uint32_t>(reinterpret_cast<const uint16_t*>(act)[k]) << 16;
            float value;
            memcpy(&value, &bits, 4);
            out[static_cast<size_t>(k)] = value;
        } else {
            const ActBlock& block = reinterpret_cast<const ActBlock*>(act)[k / 32];
            out[static_cast<size_t>(k)] = static_cast<double>(block.scale) * block.q[k % 32];
        }
    }
    return out;
}

// Every instruction set that this processor has.
inline std::vector<const MatmulKernels*> available_kernels() {
    std::vector<const MatmulKernels*> out;
    for (const MatmulKernels* kernels : {kernels_generic(), kernels_avx2(), kernels_avx2_vnni(), kernels_avx512(), kernels_neon()}) {
        if (kernels) out.push_back(kernels);
    }
    return out;
}

}  // namespace aifabrik::test
