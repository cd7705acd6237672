// One thread's way through a step.
#pragma once
#include "exec/plan.h"

namespace aifabrik {

// Rows [begin, end).
struct RowRange { int begin, end; int count() const { return end - begin; } };

class StepWorker {
public:
    StepWorker(Model& model, const StepPlan& plan, int rank)
        : model_(model), plan_(plan), vec_(*model.isa.vector), rank_(rank), scratch_(model.scratch[rank]) {}

    void run(double* profile);

private:
    void execute(const Instruction& i);
    // Work by columns is not even (a thread may have more attention to pay): waiting there accuses nobody.
    void barrier() { model_.team->barrier(rank_, !plan_.tokens.by_columns); }
    const DomainPlan& domain(const Instruction& i) const { return i.domain == BufferRows::Logits ? plan_.logits : plan_.tokens; }
    // Rows that this thread does where every row is done by one thread.
    RowRange own_rows(const Instruction& i) const;

    // rows.cpp: operations on rows
    void angles();
    void embed(const Instruction& i);
    void rms_norm(const Instruction& i);
    void act_mul(const Instruction& i);
    void select_rows(const Instruction& i);
    void softcap(const Instruction& i);
    void rope_store(const Instruction& i);
    void rope_store_head(const Instruction& i, int row, int head);
    void moe_route(const Instruction& i);
    void find_best();

    // products.cpp
    // Prepared columns of the rows of an operation: row r is at base + r * stride. By columns, threads are at different
    // operations at a time, so each keeps within its own part, which is as large as its rows times the experts of a token.
    struct Acts { uint8_t* of[kActFamilies]; };
    Acts shared_acts(const Instruction& i) const;
    void matmul(const Instruction& i);
    void prepare(const Instruction& i, RowRange rows, Acts acts);
    void multiply_passes(const Instruction& i, RowRange rows, Acts acts, bool all_shards);
    void multiply_tiles(const Instruction& i, RowRange rows, bool all_shards);

    // experts.cpp
    void moe_product(const Instruction& i);
    void moe_expert(const Instruction& i, const Part& part, int expert, bool all_shards);
    void moe_activate(const Instruction& i, RowRange rows);
    void list_experts(const Instruction& i, RowRange rows, int experts);

    // attention.cpp
    void attention(const Instruction& i);
    void attend_split(const Instruction& i, const SplitWork& work, int kv_head);
    void merge_splits(const Instruction& i);
    void attend_tokens(const Instruction& i, const TokenRange& range);
    void attend_tile(const Instruction& i, const TokenRange& range, int kv_head, int first, int rows);
    AttendCall attend_call(const Instruction& i, int sequence, int kv_head) const;

    Model& model_;
    const StepPlan& plan_;
    const VectorKernels& vec_;
    int rank_;
    ThreadScratch& scratch_;
};

}  // namespace aifabrik
