// Makes a Model of a program: checks it, resolves it, packs its weights, allocates everything that steps use.
#pragma once
#include <map>
#include <tuple>

#include "exec/model.h"

namespace aifabrik {

class ModelBuilder {
public:
    ModelBuilder(Model& model, const af_program& program, const af_options& options)
        : model_(model), program_(program), options_(options) {}

    void build();

private:
    // builder.cpp: tables and instructions
    void read_tables();
    void make_team();
    void resolve(int index, Instruction& i);
    void resolve_matmul(Instruction& i);
    void resolve_experts(Instruction& i);
    void resolve_rope(Instruction& i);
    void resolve_attention(Instruction& i);
    Part part(const Instruction& i, int weight, int weight_up, int bias, int bias_up, int column);
    void finish_product(Instruction& i);
    const float* vector(const Instruction& i, int weight, int length, int experts);
    float* buffer(const Instruction& i, int index, int* cols);
    int buffer_rows_max(int kind) const;
    [[noreturn]] void refuse(const Instruction& i, const std::string& why) const;

    // packing.cpp
    void plan_shards();
    void pack();
    void pack_thread(int thread);

    // allocation.cpp
    void allocate_activations();
    void allocate_cache();

    Model& model_;
    const af_program& program_;
    const af_options& options_;
    std::vector<size_t> arena_bytes_;
    // Part that first needed a matrix -> where it was put, so that a matrix that two operations use is packed once.
    struct Packed { Part* part; Part* same_as; };
    std::vector<Packed> packed_;
    std::map<std::tuple<int, int, int, int>, Part*> known_;
};

}  // namespace aifabrik
