// Every weight type x every instruction set of this processor x odd shapes x column counts x epilogues, against sums in
// double precision over the same prepared columns; packing and the golden blocks bit by bit.
//
// Usage: matmul_test [golden folder [weight type]]. Without one it takes AIFABRIK_GOLDEN; with neither, the golden blocks are skipped
// (and the program says so).
#include <algorithm>
#include <string>
#include "matmul_test_support.h"

using namespace aifabrik;
using namespace aifabrik::test;

namespace {

int failures = 0;
int checks = 0;

void report(bool good, const char* what) {
    checks++;
    if (good) return;
    failures++;
    printf("FAILED %s\n", what);
}

constexpr double kErrorMax = 1e-5;    // of a sum's size without luck: the root of the sum of its squared products
constexpr float kUntouched = -12345.5f;

struct Case {
    const NamedType* named;
    const MatmulKernels* kernels;
    int rows, cols, count;
    bool gemm;
    int variant;   // of the epilogue
};

double activation(GatedActivation kind, double g, double u) {
    switch (kind) {
        case GatedActivation::Silu: return g / (1 + exp(-g)) * u;
        case GatedActivation::GeluTanh: return 0.5 * g * (1 + tanh(sqrt(2 / M_PI) * (g + 0.044715 * g * g * g))) * u;
        case GatedActivation::GeluErf: return 0.5 * g * (1 + erf(g / sqrt(2.0))) * u;
        case GatedActivation::Relu: return (g > 0 ? g : 0) * u;
        case GatedActivation::GptOss: {
            const double gate = g < 7 ? g : 7, up = u > 7 ? 7 : u < -7 ? -7 : u;
            return (up + 1) * gate / (1 + exp(-1.702 * gate));
        }
        case GatedActivation::None: break;
    }
    return g;
}

struct Sums {
    std::vector<double> value, size;   // [count][rows]
};

// The matrix in the file's format times the prepared columns.
Sums reference_sums(const Case& c, const std::vector<uint8_t>& weights, const std::vector<std::vector<double>>& x) {
    Sums out;
    out.value.resize(static_cast<size_t>(c.count) * static_cast<size_t>(c.rows));
    out.size.resize(out.value.size());
    std::vector<float> w(static_cast<size_t>(c.cols));
    for (int row = 0; row < c.rows; row++) {
        dequantize_row(c.named->type, weights.data() + static_cast<size_t>(row) * weight_row_bytes(c.named->type, c.cols), w.data(), c.cols);
        for (int col = 0; col < c.count; col++) {
            double sum = 0, squares = 0;
            for (size_t k = 0; k < w.size(); k++) {
                const double product = static_cast<double>(w[k]) * x[static_cast<size_t>(col)][k];
                sum += product;
                squares += product * product;
            }
            const size_t at = static_cast<size_t>(col) * static_cast<size_t>(c.rows) + static_cast<size_t>(row);
            out.value[at] = sum;
            out.size[at] = sqrt(squares);
        }
    }
    return out;
}

// How far the activation moves when its arguments move by their permitted errors.
double activation_slack(GatedActivation kind, double g, double u, double g_error, double u_error) {
    const double middle = activation(kind, g, u);
    double most = 0;
    for (double g_sign : {-1.0, 1.0}) {
        for (double u_sign : {-1.0, 1.0}) most = fmax(most, fabs(activation(kind, g + g_sign * g_error, u + u_sign * u_error) - middle));
    }
    // Where the gate is nearly shut, 1 + tanh and 1 + erf cancel: float32's rounding of the 1 remains.
    return most + kErrorMax * fabs(middle) + 2e-7 * fabs(g * u);
}

void run(const Case& c, const TypeKernels& type, const MatmulCall& call, const ActColumns& x, int groups) {
    // In two parts, as two threads would; a gated pair stays whole.
    const int middle = groups / 4 * 2;
    if (!c.gemm) {
        type.gemv(call, x, 0, middle);
        type.gemv(call, x, middle, groups);
        return;
    }
    const int tiles = tile_count(c.count, type.tile_columns);
    Buffer packed_tiles(static_cast<size_t>(tiles) * type.tile_bytes(c.cols));
    type.pack_tiles(c.cols, x, 0, tiles / 2, packed_tiles.get());
    type.pack_tiles(c.cols, x, tiles / 2, tiles, packed_tiles.get());
    Buffer scratch(type.gemm_scratch_bytes(c.cols, c.count));
    type.gemm(call, packed_tiles.get(), c.count, 0, middle, scratch.get());
    type.gemm(call, packed_tiles.get(), c.count, middle, groups, scratch.get());
}

Epilogue epilogue_of(int variant, const float* bias, const float* bias_up, const float* column_scale, const int32_t* column_index) {
    Epilogue e;
    switch (variant) {
        case 1: e.bias = bias; break;
        case 2: e.accumulate = true; e.scale = 0.5f; break;
        case 3: e.bias = bias; e.accumulate = true; e.column_scale = column_scale; e.column_index = column_index; break;
        case 4: e.gated = GatedActivation::Silu; break;
        case 5: e.gated = GatedActivation::GeluTanh; e.bias = bias; e.bias_up = bias_up; break;
        case 6: e.gated = GatedActivation::GptOss; e.bias = bias; e.bias_up = bias_up; break;
        case 7: e.gated = GatedActivation::GeluErf; e.accumulate = true; e.scale = 2.0f; break;
        case 8: e.gated = GatedActivation::Relu; e.bias_up = bias_up; e.column_index = column_index; break;
        default: break;
    }
    return e;
}
constexpr int kVariants = 9;

void check_product(const Case& c, Random& random) {
    const WeightType t = c.named->type;
    const TypeKernels& type = c.kernels->of(t);
    const size_t rows = static_cast<size_t>(c.rows), count = static_cast<size_t>(c.count);
    const bool gated = c.variant >= 4;
    const std::vector<float> bias = random_floats(rows, random), bias_up = random_floats(rows, random), column_scale = random_floats(count, random);
    // Columns of x and y in another order, with gaps.
    std::vector<int32_t> x_index(count), y_index(count);
    for (int i = 0; i < c.count; i++) {
        x_index[static_cast<size_t>(i)] = c.count - 1 - i;
        y_index[static_cast<size_t>(i)] = (i + 1) % c.count;
    }
    const Epilogue e = epilogue_of(c.variant, bias.data(), bias_up.data(), column_scale.data(), y_index.data());

    const std::vector<uint8_t> weights = random_weights(t, c.rows, c.cols, random), weights_up = random_weights(t, gated ? c.rows : 0, c.cols, random);
    const size_t group_bytes = packed_group_bytes(t, c.cols), row_bytes = weight_row_bytes(t, c.cols);
    const int groups = group_count(c.rows) * (gated ? 2 : 1);
    Buffer packed(group_bytes * static_cast<size_t>(groups));
    const MatrixShape shape{t, c.rows, c.cols};
    const size_t stride = group_bytes * (gated ? 2 : 1);
    pack_groups(shape, weights.data(), static_cast<int64_t>(row_bytes), packed.get(), stride, 0, group_count(c.rows));
    if (gated) pack_groups(shape, weights_up.data(), static_cast<int64_t>(row_bytes), packed.get() + group_bytes, stride, 0, group_count(c.rows));

    const ActFamily family = type.family;
    const size_t act_stride = act_bytes(family, c.cols);
    Buffer acts(act_stride * count);
    std::vector<std::vector<double>> x(count);
    const float gain = gated ? 1.0f / sqrtf(static_cast<float>(c.cols)) : 1.0f;   // gates in a range where they bend
    for (size_t i = 0; i < count; i++) {
        std::vector<float> column = random_floats(static_cast<size_t>(c.cols), random);
        for (float& value : column) value *= gain;
        const size_t place = c.variant == 3 ? static_cast<size_t>(x_index[i]) : i;
        c.kernels->prepare_act(family, column.data(), c.cols, acts.get() + place * act_stride);
        x[i] = column_values(family, acts.get() + place * act_stride, c.cols);
    }
    const ActColumns columns{acts.get(), act_stride, c.variant == 3 ? x_index.data() : nullptr, c.count};

    const size_t ldy = rows + 3;
    std::vector<float> y(ldy * count, kUntouched);
    const std::vector<float> before = random_floats(rows * count, random);
    if (e.accumulate) {
        for (size_t i = 0; i < count; i++) memcpy(&y[i * ldy], &before[i * rows], rows * sizeof(float));
    }
    run(c, type, MatmulCall{packed.get(), c.rows, c.cols, y.data(), static_cast<int64_t>(ldy), e}, columns, groups);

    const Sums gate = reference_sums(c, weights, x), up = gated ? reference_sums(c, weights_up, x) : gate;
    double error = 0;   // worst, as a share of what is permitted
    bool untouched = true;
    for (size_t i = 0; i < count; i++) {
        const size_t to = e.column_index ? static_cast<size_t>(y_index[i]) : i;
        for (size_t row = 0; row < rows; row++) {
            const size_t at = i * rows + row;
            const double g = gate.value[at] + (e.bias ? bias[row] : 0), u = up.value[at] + (e.bias_up ? bias_up[row] : 0);
            const double scale = e.scale * (e.column_scale ? column_scale[i] : 1), old = e.accumulate ? before[to * rows + row] : 0;
            const double wanted = activation(e.gated, g, u) * scale + old;
            const double slack = gated ? activation_slack(e.gated, g, u, kErrorMax * gate.size[at], kErrorMax * up.size[at]) : kErrorMax * (gate.size[at] + fabs(g));
            const double share = fabs(wanted - y[to * ldy + row]) / (slack * fabs(scale) + kErrorMax * fabs(old) + 1e-30);
            error = share <= error ? error : share;   // a NaN counts
        }
        for (size_t row = rows; row < ldy; row++) untouched = untouched && y[i * ldy + row] == kUntouched;
    }
    char what[160];
    snprintf(what, sizeof what, "%s %s %s %dx%d, %d columns, epilogue %d: %.2f of the permitted error%s", c.kernels->name, c.named->name, c.gemm ? "gemm" : "gemv",
             c.rows, c.cols, c.count, c.variant, error, untouched ? "" : ", wrote beyond its rows");
    report(error <= 1.0 && untouched, what);
}

std::vector<int> cols_of(WeightType type) {
    switch (weight_block_cols(type)) {
        case 1: return {1, 5, 64, 72, 97, 320, 1031};
        case 32: return {32, 64, 96, 160, 320, 2080};
        default: return {256, 768, 2304};
    }
}

void check_products(const MatmulKernels* kernels, const NamedType& named) {
    Random random;
    int variant = 0;
    const auto check = [&](int rows, int cols, int count, bool gemm) {
        check_product({&named, kernels, rows, cols, count, gemm, variant++ % kVariants}, random);
    };
    const std::vector<int> all_cols = cols_of(named.type);
    const int usual = weight_block_cols(named.type) == 256 ? 512 : 160;
    for (int count = 1; count <= kGemvColumnsMax; count++) check(35, usual, count, false);
    for (int count = 1; count <= 17; count++) check(35, usual, count, true);
    for (int count : {33, 100}) check(50, usual, count, true);
    for (int cols : all_cols) {
        for (int rows : {1, 16, 33, 64, 81}) {
            check(rows, cols, 1, false);
            check(rows, cols, 5, false);
            check(rows, cols, 13, true);
        }
    }
    for (int v = 0; v < kVariants; v++) {
        for (int rows : {48, 57}) {
            check(rows, all_cols.back(), 3, false);
            check(rows, all_cols.back(), 20, true);
        }
        variant = v + 1;
    }
}

// Packed and unpacked rows are the file's values, bit by bit.
void check_packing(const NamedType& named) {
    Random random;
    for (int cols : cols_of(named.type)) {
        const int rows = 37;
        const std::vector<uint8_t> weights = random_weights(named.type, rows, cols, random);
        const size_t row_bytes = weight_row_bytes(named.type, cols), group_bytes = packed_group_bytes(named.type, cols);
        Buffer packed(group_bytes * 3);
        pack_groups({named.type, rows, cols}, weights.data(), static_cast<int64_t>(row_bytes), packed.get(), group_bytes, 0, 1);
        pack_groups({named.type, rows, cols}, weights.data(), static_cast<int64_t>(row_bytes), packed.get(), group_bytes, 1, 3);
        std::vector<float> direct(static_cast<size_t>(cols)), unpacked(static_cast<size_t>(cols));
        bool same = true;
        for (int row = 0; row < rows; row++) {
            dequantize_row(named.type, weights.data() + static_cast<size_t>(row) * row_bytes, direct.data(), cols);
            unpack_row(named.type, cols, packed.get(), group_bytes, row, unpacked.data());
            same = same && memcmp(direct.data(), unpacked.data(), direct.size() * sizeof(float)) == 0;
        }
        bool zero = true;   // rows beyond the matrix
        for (int row = rows; row < 48; row++) {
            unpack_row(named.type, cols, packed.get(), group_bytes, row, unpacked.data());
            for (float value : unpacked) zero = zero && value == 0.0f;
        }
        const std::string what = std::string("packing ") + named.name + " " + std::to_string(cols);
        report(same, what.c_str());
        // MXFP4 has no zero scale: its code 0 is zero. IQ4's codes have no zero, its scale is.
        report(zero, (what + ": rows beyond the matrix").c_str());
    }
}

// A column's product is the same bits whether it is multiplied alone, in a pass of any width, or in a tile of a prompt.
void check_batches(const MatmulKernels* kernels, const NamedType& named) {
    constexpr int kRows = 50, kColumns = 129;
    Random random;
    const TypeKernels& type = kernels->of(named.type);
    const int cols = cols_of(named.type).back();   // more than one chunk of gemm
    const ActFamily family = type.family;
    const size_t group_bytes = packed_group_bytes(named.type, cols), stride = act_bytes(family, cols);
    const int groups = group_count(kRows) * 2;
    Buffer packed(group_bytes * static_cast<size_t>(groups)), acts(stride * kColumns);
    for (int up = 0; up < 2; up++) {
        const std::vector<uint8_t> weights = random_weights(named.type, kRows, cols, random);
        pack_groups({named.type, kRows, cols}, weights.data(), static_cast<int64_t>(weight_row_bytes(named.type, cols)), packed.get() + group_bytes * static_cast<size_t>(up), 2 * group_bytes, 0, groups / 2);
    }
    for (int c = 0; c < kColumns; c++) kernels->prepare_act(family, random_floats(static_cast<size_t>(cols), random).data(), cols, acts.get() + stride * static_cast<size_t>(c));
    for (GatedActivation gated : {GatedActivation::None, GatedActivation::Silu}) {
        // Not gated: gate and up are one matrix of twice the groups.
        const int rows = gated == GatedActivation::None ? groups * kGroupRows : kRows;
        const std::vector<float> bias(static_cast<size_t>(rows), 0.25f);
        std::vector<float> alone(static_cast<size_t>(rows) * kColumns), batch(alone.size());
        MatmulCall call{packed.get(), rows, cols, nullptr, rows, {}};
        call.epilogue.gated = gated;
        call.epilogue.bias = bias.data();
        for (int c = 0; c < kColumns; c++) {
            call.y = alone.data() + static_cast<size_t>(c) * static_cast<size_t>(rows);
            type.gemv(call, {acts.get() + stride * static_cast<size_t>(c), stride, nullptr, 1}, 0, groups);
        }
        call.y = batch.data();
        for (int count : {1, 2, 3, 4, 5, 6, 8, 12, 16, 17, 33, 64, 129}) {
            for (bool gemm : {false, true}) {
                if (!gemm && count > kGemvColumnsMax) continue;
                std::fill(batch.begin(), batch.end(), kUntouched);
                run({&named, kernels, rows, cols, count, gemm, 0}, type, call, {acts.get(), stride, nullptr, count}, groups);
                const bool same = memcmp(alone.data(), batch.data(), sizeof(float) * static_cast<size_t>(rows) * static_cast<size_t>(count)) == 0;
                report(same, (std::string(kernels->name) + " " + named.name + (gemm ? " gemm" : " gemv") + (gated == GatedActivation::None ? "" : " gated") + ": not the bits of one column, with " + std::to_string(count)).c_str());
            }
        }
    }
}

// Columns are the same in every instruction set, also when threads share one.
void check_prepare(const MatmulKernels* kernels) {
    Random random;
    for (int cols : {1, 32, 96, 250, 320, 576}) {
        std::vector<float> x = random_floats(static_cast<size_t>(cols), random);
        for (int k = 0; k < 32 && k < cols; k++) x[static_cast<size_t>(k)] *= cols == 96 ? 0.0f : cols == 320 ? 1e-39f : 1.0f;
        for (ActFamily family : {ActFamily::Float32, ActFamily::Int8, ActFamily::Bfloat16}) {
            const size_t bytes = act_bytes(family, cols);
            Buffer whole(bytes), parts(bytes), wanted(bytes);
            kernels->prepare_act(family, x.data(), cols, whole.get());
            kernels_generic()->prepare_act(family, x.data(), cols, wanted.get());
            const int blocks = (cols + 31) / 32;
            kernels->prepare_act_blocks(family, x.data(), cols, 0, blocks / 2, parts.get());
            kernels->prepare_act_blocks(family, x.data(), cols, blocks / 2, blocks, parts.get());
            const std::string what = std::string(kernels->name) + " prepare_act " + std::to_string(cols);
            report(memcmp(whole.get(), wanted.get(), bytes) == 0, what.c_str());
            report(memcmp(parts.get(), wanted.get(), bytes) == 0, (what + " in parts").c_str());
        }
    }
}

std::vector<uint8_t> from_hex(const std::string& text) {
    std::vector<uint8_t> out;
    for (size_t i = 0; i + 1 < text.size(); i += 2) out.push_back(static_cast<uint8_t>(std::stoi(text.substr(i, 2), nullptr, 16)));
    return out;
}

// The golden blocks: strings of the file in turn are type names, "bytes" and "values" with their hex digits.
void check_golden(const std::string& folder) {
    FILE* file = fopen((folder + "/gguf/blocks.json").c_str(), "rb");
    if (!file) return report(false, "golden blocks: cannot read gguf/blocks.json");
    std::string text;
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) text.append(chunk, n);
    fclose(file);

    const NamedType* named = nullptr;
    std::string previous;
    std::vector<uint8_t> bytes;
    int seen = 0;
    for (size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at)) {
        const size_t end = text.find('"', at + 1);
        const std::string word = text.substr(at + 1, end - at - 1);
        at = end + 1;
        for (const NamedType& candidate : kTypes) {
            if (word == candidate.name) named = &candidate;
        }
        if (previous == "bytes") bytes = from_hex(word);
        if (previous == "values" && named) {
            const std::vector<uint8_t> wanted = from_hex(word);
            const int cols = static_cast<int>(wanted.size() / sizeof(float));
            std::vector<float> values(static_cast<size_t>(cols)), unpacked(static_cast<size_t>(cols));
            dequantize_row(named->type, bytes.data(), values.data(), cols);
            report(memcmp(values.data(), wanted.data(), wanted.size()) == 0, (std::string("golden block ") + named->name).c_str());
            Buffer packed(packed_group_bytes(named->type, cols));
            pack_groups({named->type, 1, cols}, bytes.data(), 0, packed.get(), 0, 0, 1);
            unpack_row(named->type, cols, packed.get(), 0, 0, unpacked.data());
            report(memcmp(unpacked.data(), wanted.data(), wanted.size()) == 0, (std::string("golden block packed ") + named->name).c_str());
            seen++;
        }
        previous = word;
    }
    report(seen >= 15, "golden blocks: fewer than expected");
    printf("golden blocks: %d\n", seen);
}

}  // namespace

int main(int argc, char** argv) {
    const char* golden = argc > 1 ? argv[1] : getenv("AIFABRIK_GOLDEN");
    for (const NamedType& named : kTypes) check_packing(named);
    printf("packing: %d checks, %d failed\n", checks, failures);
    if (golden) check_golden(golden);
    else printf("golden blocks: SKIPPED (no folder given)\n");
    const char* only = argc > 2 ? argv[2] : nullptr;
    for (const MatmulKernels* kernels : available_kernels()) {
        check_prepare(kernels);
        for (const NamedType& named : kTypes) {
            if (only && strcmp(only, named.name) != 0) continue;
            if (!kernels->of(named.type).gemv) {
                report(false, (std::string(kernels->name) + " lacks " + named.name).c_str());
                continue;
            }
            const int failed = failures, from = checks;
            check_products(kernels, named);
            check_batches(kernels, named);
            printf("%s %s: %d checks, %d failed\n", kernels->name, named.name, checks - from, failures - failed);
        }
    }
    printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
