// Operations on single rows: each row is done by one thread.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "exec/step.h"

namespace aifabrik {

// Cosines and sines of every token's position, for each rope table: angle = position * frequency in float32, as the
// reference implementations have it; the functions themselves in double.
void StepWorker::angles() {
    if (model_.rope_tables.empty()) return;
    const DomainPlan& d = plan_.tokens;
    const int begin = d.by_columns ? d.begin[rank_] : d.rows * rank_ / plan_.active;
    const int end = d.by_columns ? d.begin[rank_ + 1] : d.rows * (rank_ + 1) / plan_.active;
    for (int row = begin; row < end; row++) {
        const int token = plan_.token_of_row[row];
        const float position = static_cast<float>(plan_.batch->positions[token]);
        const int wanted = plan_.batch->rope_variant[plan_.sequence_of_token[token]];
        for (const RopeTable& t : model_.rope_tables) {
            const int variant = std::min(wanted, t.variants - 1);
            const float* frequencies = t.inverse_frequencies.data() + static_cast<size_t>(variant) * t.frequencies;
            const float factor = t.attention_factors[variant];
            float* cosines = model_.rope_rows + static_cast<size_t>(row) * model_.rope_row_floats + t.offset;
            for (int k = 0; k < t.frequencies; k++) {
                const double angle = position * frequencies[k];
                cosines[k] = static_cast<float>(std::cos(angle)) * factor;
                cosines[t.frequencies + k] = static_cast<float>(std::sin(angle)) * factor;
            }
        }
    }
}

void StepWorker::embed(const Instruction& i) {
    const RowRange rows = own_rows(i);
    const af_weight& w = model_.weights[i.op.w0];
    for (int row = rows.begin; row < rows.end; row++) {
        const int id = plan_.batch->tokens[plan_.token_of_row[row]];
        float* out = i.out + static_cast<size_t>(row) * i.out_cols;
        dequantize_row(static_cast<WeightType>(w.type), static_cast<const uint8_t*>(w.data) + id * w.row_stride_bytes, out, i.out_cols);
        if (i.op.scale != 1.0f) for (int k = 0; k < i.out_cols; k++) out[k] *= i.op.scale;
    }
}

void StepWorker::rms_norm(const Instruction& i) {
    const RowRange rows = own_rows(i);
    for (int row = rows.begin; row < rows.end; row++)
        vec_.rms_norm(i.in + static_cast<size_t>(row) * i.in_cols, i.norm0, i.op.eps, i.in_cols, i.op.accumulate != 0, i.out + static_cast<size_t>(row) * i.out_cols);
}

void StepWorker::act_mul(const Instruction& i) {
    const RowRange rows = own_rows(i);
    for (int row = rows.begin; row < rows.end; row++) {
        const float* gate = i.in + static_cast<size_t>(row) * i.in_cols;
        vec_.act_mul(i.op.activation, gate, gate + i.out_cols, i.out_cols, i.out + static_cast<size_t>(row) * i.out_cols);
    }
}

void StepWorker::select_rows(const Instruction& i) {
    const RowRange rows = own_rows(i);
    for (int r = rows.begin; r < rows.end; r++) {
        const int row = plan_.row_of_token[plan_.batch->logit_rows[r]];
        std::memcpy(i.out + static_cast<size_t>(r) * i.out_cols, i.in + static_cast<size_t>(row) * i.in_cols, sizeof(float) * i.out_cols);
    }
}

void StepWorker::softcap(const Instruction& i) {
    const DomainPlan& d = domain(i);
    if (d.by_columns) {
        const RowRange rows = own_rows(i);
        vec_.softcap(i.out + static_cast<size_t>(rows.begin) * i.out_cols, rows.count() * i.out_cols, i.op.softcap);
        return;
    }
    // One row of logits is worth sharing.
    const int begin = static_cast<int>(static_cast<int64_t>(i.out_cols) * rank_ / plan_.active / 16 * 16);
    const int end = rank_ + 1 == plan_.active ? i.out_cols : static_cast<int>(static_cast<int64_t>(i.out_cols) * (rank_ + 1) / plan_.active / 16 * 16);
    for (int row = 0; row < d.rows; row++) vec_.softcap(i.out + static_cast<size_t>(row) * i.out_cols + begin, end - begin, i.op.softcap);
}

void StepWorker::rope_store(const Instruction& i) {
    const DomainPlan& d = domain(i);
    const int heads = i.op.n_heads + i.op.n_kv_heads;
    if (d.by_columns) {
        const RowRange rows = own_rows(i);
        for (int row = rows.begin; row < rows.end; row++)
            for (int h = 0; h < heads; h++) rope_store_head(i, row, h);
        return;
    }
    const int64_t items = static_cast<int64_t>(d.rows) * heads;
    for (int64_t n = items * rank_ / plan_.active; n < items * (rank_ + 1) / plan_.active; n++)
        rope_store_head(i, static_cast<int>(n / heads), static_cast<int>(n % heads));
}

// Heads are numbered over q and k; a k head also stores its v.
void StepWorker::rope_store_head(const Instruction& i, int row, int head) {
    const af_op& op = i.op;
    const bool is_key = head >= op.n_heads;
    float* x = i.in + static_cast<size_t>(row) * i.in_cols + static_cast<size_t>(head) * op.head_dim;
    const float* norm = is_key ? i.norm1 : i.norm0;
    if (norm) vec_.rms_norm(x, norm, op.eps, op.head_dim, false, x);
    if (op.rope_table >= 0 && op.rotary_dim > 0) {
        const RopeTable& t = model_.rope_tables[op.rope_table];
        const float* cosines = model_.rope_rows + static_cast<size_t>(row) * model_.rope_row_floats + t.offset;
        vec_.rope(x, cosines, cosines + t.frequencies, op.rotary_dim, op.rope_style);
    }
    if (!is_key) return;
    const KvLayer& layer = model_.kv_layers[op.layer];
    const int token = plan_.token_of_row[row];
    const int slot = plan_.batch->slots[static_cast<size_t>(layer.def.group) * model_.limits.max_tokens + token];
    const int block_size = model_.limits.block_size, pages = block_size / kPageSlots;
    const size_t page = (static_cast<size_t>(slot / block_size) * op.n_kv_heads + (head - op.n_heads)) * pages + slot % block_size / kPageSlots;
    vec_.store_kv(x, x + static_cast<size_t>(op.n_kv_heads) * op.head_dim, op.head_dim, slot % kPageSlots, layer.pool + page * page_halves(op.head_dim));
}

// Chosen: the largest logits in descending order, ties to the lower number.
void StepWorker::moe_route(const Instruction& i) {
    const RowRange rows = own_rows(i);
    const int experts = i.in_cols, k = i.op.top_k;
    for (int row = rows.begin; row < rows.end; row++) {
        const float* logits = i.in + static_cast<size_t>(row) * experts;
        float* numbers = i.out + static_cast<size_t>(row) * i.out_cols;
        float* shares = numbers + k;
        for (int j = 0; j < k; j++) {
            int best = -1;
            for (int e = 0; e < experts; e++) {
                bool taken = false;
                for (int p = 0; p < j; p++) taken |= static_cast<int>(numbers[p]) == e;
                if (!taken && (best < 0 || logits[e] > logits[best])) best = e;
            }
            numbers[j] = static_cast<float>(best);
        }
        const float largest = logits[static_cast<int>(numbers[0])];
        float sum = 0;
        if (i.op.renormalize) for (int j = 0; j < k; j++) sum += std::exp(logits[static_cast<int>(numbers[j])] - largest);
        else for (int e = 0; e < experts; e++) sum += std::exp(logits[e] - largest);
        for (int j = 0; j < k; j++) shares[j] = std::exp(logits[static_cast<int>(numbers[j])] - largest) / sum;
    }
}

void StepWorker::find_best() {
    const int vocab = model_.vocab_size;
    const int begin = static_cast<int>(static_cast<int64_t>(vocab) * rank_ / plan_.active);
    const int end = static_cast<int>(static_cast<int64_t>(vocab) * (rank_ + 1) / plan_.active);
    const float* logits = model_.logits();
    for (int r = 0; r < plan_.logits.rows; r++) {
        const int at = end > begin ? begin + vec_.argmax(logits + static_cast<size_t>(r) * vocab + begin, end - begin) : 0;
        model_.rank_best[static_cast<size_t>(rank_) * model_.limits.max_logit_rows + r] = at;
    }
}

}  // namespace aifabrik
