#include "exec/builder.h"

#include <algorithm>
#include <set>

#include "team/cpus.h"

namespace aifabrik {
namespace {

constexpr int kActivationNone = 0, kActivationLast = 3;
const char* const kKindNames[kOpKinds] = {"Embed", "RmsNorm", "MatMul", "RopeStoreKv", "Attention", "ActMul", "SelectRows",
                                          "Softcap", "MoeRoute", "MoeGateUp", "MoeDown"};

void require(bool condition, const char* why) {
    if (!condition) throw BuildError(AF_INVALID_PROGRAM, why);
}

}  // namespace

void ModelBuilder::refuse(const Instruction& i, const std::string& why) const {
    const int kind = static_cast<int>(i.kind);
    throw BuildError(AF_INVALID_PROGRAM, std::string("Operation ") + (kind >= 0 && kind < kOpKinds ? kKindNames[kind] : "?") +
                                             " (layer " + std::to_string(i.op.layer) + "): " + why + ".");
}

void ModelBuilder::build() {
    read_tables();
    make_team();
    // Buffers first: instructions hold pointers into them.
    model_.instructions.resize(program_.op_count);
    for (int n = 0; n < program_.op_count; n++) {
        Instruction& i = model_.instructions[n];
        i.op = program_.ops[n];
        i.kind = static_cast<OpKind>(i.op.kind);
    }
    allocate_activations();
    for (int n = 0; n < program_.op_count; n++) resolve(n, model_.instructions[n]);
    plan_shards();
    pack();
    allocate_cache();
}

void ModelBuilder::read_tables() {
    Model& m = model_;
    const af_limits& l = m.limits;
    require(l.max_tokens > 0 && l.max_sequences > 0 && l.max_logit_rows > 0 && l.max_blocks_per_sequence > 0, "The step limits must be positive.");
    require(l.block_size > 0 && l.block_size % kPageSlots == 0, "The block size must be a multiple of 16.");
    require(program_.vocab_size > 0, "The vocabulary is empty.");
    m.weights.assign(program_.weights, program_.weights + program_.weight_count);
    m.buffers.assign(program_.buffers, program_.buffers + program_.buffer_count);
    m.blocks_per_group.assign(l.blocks_per_group, l.blocks_per_group + program_.kv_group_count);
    m.group_windows.assign(program_.kv_group_count, -1);
    m.limits.blocks_per_group = nullptr;
    m.vocab_size = program_.vocab_size;
    m.top_k = std::max(0, program_.top_k);
    m.kv_groups = program_.kv_group_count;
    for (const af_buffer& b : m.buffers) require(b.cols > 0 && b.rows >= 0 && b.rows <= 2, "A buffer has no columns or unknown rows.");
    for (const af_weight& w : m.weights) {
        require(weight_type_known(static_cast<WeightType>(w.type)), "A weight has a type that is not supported.");
        require(w.rows > 0 && w.cols > 0 && w.experts > 0 && w.data, "A weight is empty.");
        require(w.cols % weight_block_cols(static_cast<WeightType>(w.type)) == 0, "A weight's columns are no multiple of its type's block.");
    }
    require(program_.logits_buffer >= 0 && program_.logits_buffer < program_.buffer_count, "There is no logits buffer.");
    const af_buffer& logits = m.buffers[program_.logits_buffer];
    require(logits.rows == static_cast<int>(BufferRows::Logits) && logits.cols == m.vocab_size, "The logits buffer does not have the vocabulary's shape.");
    for (int n = 0; n < program_.rope_table_count; n++) {
        const af_rope_table& t = program_.rope_tables[n];
        require(t.variants > 0 && t.frequencies > 0, "A rope table is empty.");
        RopeTable table{t.variants, t.frequencies, m.rope_row_floats, {}, {}};
        table.inverse_frequencies.assign(t.inverse_frequencies, t.inverse_frequencies + static_cast<size_t>(t.variants) * t.frequencies);
        table.attention_factors.assign(t.attention_factors, t.attention_factors + t.variants);
        m.rope_row_floats += 2 * t.frequencies;
        m.rope_tables.push_back(std::move(table));
    }
    for (int n = 0; n < program_.kv_layer_count; n++) {
        const af_kv_layer& k = program_.kv_layers[n];
        require(k.n_kv_heads > 0 && k.head_dim > 0 && k.group >= 0 && k.group < m.kv_groups, "A cache layer refers to a group that does not exist.");
        KvLayer layer;
        layer.def = k;
        layer.block_halves = static_cast<size_t>(k.n_kv_heads) * (l.block_size / kPageSlots) * page_halves(k.head_dim);
        m.kv_layers.push_back(layer);
    }
}

void ModelBuilder::make_team() {
    std::vector<int> cores = usable_cores();
    int wanted = options_.threads > 0 ? options_.threads : static_cast<int>(cores.size());
    // Threads beyond the processors only wait for each other: 8 on 2 processors decode at a tenth of the speed of 2.
    if (options_.pin_threads) wanted = std::min(wanted, usable_processors());
    // More threads than cores: they can't have one each, so nobody is pinned.
    const bool pin = options_.pin_threads && wanted <= static_cast<int>(cores.size());
    cores.resize(wanted, cores[0]);
    model_.team = std::make_unique<Team>(cores, pin);
}

int ModelBuilder::buffer_rows_max(int kind) const {
    const af_limits& l = model_.limits;
    switch (static_cast<BufferRows>(kind)) {
    case BufferRows::Tokens: return l.max_tokens;
    case BufferRows::TokenExperts: return l.max_tokens * std::max(1, model_.top_k);
    default: return l.max_logit_rows;
    }
}

float* ModelBuilder::buffer(const Instruction& i, int index, int* cols) {
    if (index < 0 || index >= static_cast<int>(model_.buffers.size())) refuse(i, "it refers to a buffer that does not exist");
    if (cols) *cols = model_.buffers[index].cols;
    return model_.buffer_data[index];
}

const float* ModelBuilder::vector(const Instruction& i, int weight, int length, int experts) {
    if (weight < 0) return nullptr;
    if (weight >= static_cast<int>(model_.weights.size())) refuse(i, "it refers to a vector that does not exist");
    const af_weight& w = model_.weights[weight];
    if (w.cols != length || (w.experts != experts && w.rows != experts)) refuse(i, "a vector has the wrong length");
    const int64_t stride = w.experts > 1 ? w.expert_stride_bytes : w.row_stride_bytes;
    auto& copy = model_.vectors_.emplace_back(static_cast<size_t>(length) * experts);
    for (int e = 0; e < experts; e++)
        dequantize_row(static_cast<WeightType>(w.type), static_cast<const uint8_t*>(w.data) + e * stride, copy.data() + static_cast<size_t>(e) * length, length);
    return copy.data();
}

void ModelBuilder::resolve(int index, Instruction& i) {
    const af_op& op = i.op;
    if (op.kind < 0 || op.kind >= kOpKinds) refuse(i, "unknown kind");
    if (op.activation < kActivationNone || op.activation > kActivationLast) refuse(i, "unknown activation");
    if (i.kind != OpKind::Embed) i.in = buffer(i, op.input >= 0 ? op.input : op.output, &i.in_cols);
    if (op.input2 >= 0) i.in2 = buffer(i, op.input2, &i.in2_cols);
    const int out = op.output >= 0 ? op.output : op.input;
    i.out = buffer(i, out, &i.out_cols);
    i.domain = model_.buffers[out].rows == static_cast<int>(BufferRows::Logits) ? BufferRows::Logits : BufferRows::Tokens;
    switch (i.kind) {
    case OpKind::Embed:
        if (op.w0 < 0 || op.w0 >= program_.weight_count || model_.weights[op.w0].cols != i.out_cols) refuse(i, "the embedding does not fit its output");
        break;
    case OpKind::RmsNorm:
        i.norm0 = vector(i, op.norm0, i.in_cols, 1);
        if (!i.norm0 || i.in_cols != i.out_cols) refuse(i, "shapes disagree");
        break;
    case OpKind::MatMul: resolve_matmul(i); break;
    case OpKind::RopeStoreKv: resolve_rope(i); model_.last_store = index; break;
    case OpKind::Attention: resolve_attention(i); break;
    case OpKind::ActMul:
        if (i.in_cols != 2 * i.out_cols) refuse(i, "shapes disagree");
        break;
    case OpKind::SelectRows:
        if (i.in_cols != i.out_cols || i.domain != BufferRows::Logits) refuse(i, "shapes disagree");
        break;
    case OpKind::Softcap:
        i.in = i.out;
        if (!(op.softcap > 0)) refuse(i, "the cap must be positive");
        break;
    case OpKind::MoeRoute:
        if (op.top_k <= 0 || op.top_k != model_.top_k || op.top_k > i.in_cols || i.out_cols < 2 * op.top_k) refuse(i, "shapes disagree");
        model_.experts_max = std::max(model_.experts_max, i.in_cols);
        break;
    case OpKind::MoeGateUp:
    case OpKind::MoeDown: resolve_experts(i); break;
    }
}

Part ModelBuilder::part(const Instruction& i, int weight, int weight_up, int bias, int bias_up, int column) {
    const int count = static_cast<int>(model_.weights.size());
    if (weight < 0 || weight >= count || weight_up >= count) refuse(i, "it refers to a matrix that does not exist");
    const af_weight& w = model_.weights[weight];
    Part p{};
    p.type = static_cast<WeightType>(w.type);
    p.kernels = &model_.isa.matmul->of(p.type);
    p.family = p.kernels->family;
    p.rows = w.rows;
    p.cols = w.cols;
    p.experts = w.experts;
    p.unit_groups = weight_up >= 0 ? 2 : 1;
    p.group_bytes = packed_group_bytes(p.type, p.cols);
    p.column = column;
    p.weight = weight;
    p.weight_up = weight_up;
    p.bias = vector(i, bias, p.rows, p.experts);
    p.bias_up = vector(i, bias_up, p.rows, p.experts);
    if (!p.kernels->gemv) refuse(i, "there are no kernels for its weight type");
    if (weight_up >= 0) {
        const af_weight& u = model_.weights[weight_up];
        if (u.type != w.type || u.rows != w.rows || u.cols != w.cols || u.experts != w.experts) refuse(i, "gate and up differ in type or shape");
    }
    return p;
}

void ModelBuilder::finish_product(Instruction& i) {
    Product& product = i.product;
    product.cols = product.parts[0].cols;
    for (const Part& p : product.parts) {
        if (p.cols != product.cols) refuse(i, "matrices that share an input differ in columns");
        product.needs[static_cast<int>(p.family)] = true;
    }
    if (product.cols != i.in_cols) refuse(i, "the input does not have the matrix's columns");
}

void ModelBuilder::resolve_matmul(Instruction& i) {
    const af_op& op = i.op;
    if (op.activation != kActivationNone) {
        i.product.parts.push_back(part(i, op.w0, op.w1, op.b0, op.b1, 0));
        if (op.w1 < 0 || op.w2 >= 0) refuse(i, "a gated product has two matrices");
        if (i.out_cols != i.product.parts[0].rows) refuse(i, "shapes disagree");
    } else {
        const int weights[3] = {op.w0, op.w1, op.w2}, biases[3] = {op.b0, op.b1, op.b2};
        int column = 0;
        for (int n = 0; n < 3; n++) {
            if (weights[n] < 0) continue;
            i.product.parts.push_back(part(i, weights[n], -1, biases[n], -1, column));
            column += i.product.parts.back().rows;
        }
        if (i.product.parts.empty() || column != i.out_cols) refuse(i, "shapes disagree");
    }
    for (const Part& p : i.product.parts) if (p.experts != 1) refuse(i, "it has experts");
    finish_product(i);
    i.norm0 = vector(i, op.norm0, i.in_cols, 1);
}

void ModelBuilder::resolve_experts(Instruction& i) {
    const af_op& op = i.op;
    if (!i.in2 || model_.top_k <= 0) refuse(i, "it has no route");
    if (i.kind == OpKind::MoeDown) {
        i.product.parts.push_back(part(i, op.w0, -1, op.b0, -1, 0));
    } else {
        if (op.w1 < 0 || op.w1 >= program_.weight_count || op.w0 < 0 || op.w0 >= program_.weight_count) refuse(i, "a gated product has two matrices");
        if (op.activation == kActivationNone) refuse(i, "it has no activation");
        if (model_.weights[op.w0].type == model_.weights[op.w1].type) {
            i.product.parts.push_back(part(i, op.w0, op.w1, op.b0, op.b1, 0));
        } else {
            i.product.parts.push_back(part(i, op.w0, -1, op.b0, -1, 0));
            i.product.parts.push_back(part(i, op.w1, -1, op.b1, -1, 0));
            i.product.split_activation = true;
        }
    }
    for (const Part& p : i.product.parts) {
        if (p.rows != i.out_cols) refuse(i, "shapes disagree");
        if (p.experts != i.product.parts[0].experts) refuse(i, "gate and up have different numbers of experts");
    }
    finish_product(i);
    model_.experts_max = std::max(model_.experts_max, i.product.parts[0].experts);
}

void ModelBuilder::resolve_rope(Instruction& i) {
    const af_op& op = i.op;
    i.out = i.in;
    if (op.layer < 0 || op.layer >= program_.kv_layer_count) refuse(i, "its cache layer does not exist");
    const af_kv_layer& kv = model_.kv_layers[op.layer].def;
    if (kv.n_kv_heads != op.n_kv_heads || kv.head_dim != op.head_dim || i.in_cols != (op.n_heads + 2 * op.n_kv_heads) * op.head_dim)
        refuse(i, "shapes disagree");
    if (op.rope_table >= program_.rope_table_count) refuse(i, "its rope table does not exist");
    if (op.rope_table >= 0) {
        const RopeTable& table = model_.rope_tables[op.rope_table];
        if (op.rotary_dim < 0 || op.rotary_dim > op.head_dim || op.rotary_dim / 2 > table.frequencies) refuse(i, "its rope table is too short");
        i.rope_offset = table.offset;
    }
    i.norm0 = vector(i, op.norm0, op.head_dim, 1);
    i.norm1 = vector(i, op.norm1, op.head_dim, 1);
}

void ModelBuilder::resolve_attention(Instruction& i) {
    const af_op& op = i.op;
    if (op.layer < 0 || op.layer >= program_.kv_layer_count) refuse(i, "its cache layer does not exist");
    const af_kv_layer& kv = model_.kv_layers[op.layer].def;
    if (kv.n_kv_heads != op.n_kv_heads || kv.head_dim != op.head_dim || op.n_heads <= 0 || op.n_heads % op.n_kv_heads != 0) refuse(i, "its heads disagree with the cache");
    if (i.in_cols != (op.n_heads + 2 * op.n_kv_heads) * op.head_dim || i.out_cols != op.n_heads * op.head_dim) refuse(i, "shapes disagree");
    i.sinks = vector(i, op.w0, op.n_heads, 1);
    int32_t& reach = model_.group_windows[kv.group];
    if (op.window < 0) refuse(i, "its window is negative");
    reach = op.window == 0 || reach == 0 ? 0 : std::max(reach, op.window);
    auto& kinds = model_.attention_kinds;
    for (size_t n = 0; n < kinds.size(); n++)
        if (kinds[n].window == op.window && kinds[n].n_kv_heads == op.n_kv_heads && kinds[n].n_heads == op.n_heads && kinds[n].head_dim == op.head_dim)
            i.attention_plan = static_cast<int>(n);
    if (i.attention_plan >= 0) return;
    i.attention_plan = static_cast<int>(kinds.size());
    kinds.push_back({op.window, op.n_heads, op.n_kv_heads, op.head_dim});
}

}  // namespace aifabrik
