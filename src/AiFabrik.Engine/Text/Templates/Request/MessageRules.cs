namespace AiFabrik.Engine.Text.Templates;

/// <summary>What stands for an assistant's content that is null or missing.</summary>
internal enum MissingContent
{
    NotDefined,
    None,
    Empty,
}

/// <summary>
/// The rules that make a request's messages into those that the template sees: arguments of tool calls as objects,
/// parts joined where the template takes no lists, null keys dropped, reasoning under its two names.
/// </summary>
internal readonly struct MessageRules(Interpreter vm, bool keepParts, MissingContent missingContent, bool argumentsAsSent)
{
    /// <summary>Whether a message of the request gives a choice of readings.</summary>
    public static void FindChoices(Interpreter vm, in Value messages, out bool content, out bool arguments)
    {
        content = false;
        arguments = false;
        for (int i = 0; i < messages.Length; i++)
        {
            Value message = vm.Cells[messages.Address + i];
            if (!IsAssistant(vm, message)) continue;
            content |= Dicts.Get(vm, message, "content"u8).Kind is Kind.Missing or Kind.None;
            Value calls = Dicts.Get(vm, message, "tool_calls"u8);
            for (int k = 0; calls.Kind == Kind.List && k < calls.Length; k++)
            {
                Value function = Function(vm, vm.Cells[calls.Address + k]);
                arguments |= function.Kind == Kind.Dict && Dicts.Get(vm, function, "arguments"u8) is { IsStr: true, Length: > 0 };
            }
        }
    }

    private static bool IsAssistant(Interpreter vm, in Value message)
    {
        Value role = Dicts.Get(vm, message, "role"u8);
        return role.IsStr && vm.Bytes(role).SequenceEqual("assistant"u8);
    }

    private static Value Function(Interpreter vm, in Value call) =>
        call.Kind == Kind.Dict ? Dicts.Get(vm, call, "function"u8) : default;

    public Value Apply(in Value messages)
    {
        var list = new ListBuilder(vm);
        list.Grow(Math.Max(1, messages.Length));
        for (int i = 0; i < messages.Length && vm.Step(); i++) list.Add(Message(vm.Cells[messages.Address + i]));
        return list.ToValue();
    }

    private Value Message(in Value message)
    {
        bool assistant = IsAssistant(vm, message);
        Value reasoning = Reasoning(message);
        bool hasThinking = Dicts.Get(vm, message, "thinking"u8).Kind is not (Kind.Missing or Kind.None);
        var pairs = new ListBuilder(vm);
        pairs.Grow(1);
        if (!reasoning.IsMissing && !hasThinking) Add(ref pairs, vm.NewText("thinking"u8, false), reasoning);
        bool hasContent = false;
        bool hasReasoning = false;
        for (int i = 0; i < message.Length && !vm.Failed; i++)
        {
            Value key = Dicts.Key(vm, message, i);
            Value value = Dicts.ValueAt(vm, message, i);
            ReadOnlySpan<byte> name = vm.Bytes(key);
            if (name.SequenceEqual("content"u8))
            {
                hasContent = true;
                if (value.IsNone && assistant) value = Replacement(value);
                else if (value.Kind == Kind.List && !keepParts) value = Joined(value);
                if (value.IsMissing || (value.IsNone && !assistant)) continue;
                Add(ref pairs, key, value);
                continue;
            }

            if (value.IsNone) continue;
            if (name.SequenceEqual("reasoning_content"u8))
            {
                hasReasoning = true;
                value = reasoning;
            }
            else if (assistant && name.SequenceEqual("tool_calls"u8) && value.Kind == Kind.List)
            {
                value = ToolCalls(value);
            }

            Add(ref pairs, key, value);
        }

        if (!hasContent && assistant && Replacement(Value.None) is { IsMissing: false } content)
            Add(ref pairs, vm.NewText("content"u8, false), content);
        if (!reasoning.IsMissing && !hasReasoning) Add(ref pairs, vm.NewText("reasoning_content"u8, false), reasoning);
        return vm.Failed ? default : Dicts.FromPairs(vm, ref pairs);
    }

    private static void Add(ref ListBuilder pairs, in Value key, in Value value)
    {
        pairs.Add(key);
        pairs.Add(value);
    }

    private Value Replacement(in Value none) => missingContent switch
    {
        MissingContent.NotDefined => default,
        MissingContent.None => none,
        _ => Value.Str(0, 0),
    };

    private Value Reasoning(in Value message)
    {
        Value value = Dicts.Get(vm, message, "reasoning_content"u8);
        if (value.Kind is Kind.Missing or Kind.None) value = Dicts.Get(vm, message, "thinking"u8);
        if (value.Kind is Kind.Missing or Kind.None) value = Dicts.Get(vm, message, "reasoning"u8);
        return value.IsNone ? default : value;
    }

    /// <summary>The texts of parts with newlines between them; parts without text are passed over.</summary>
    private Value Joined(in Value parts)
    {
        var text = new TextBuilder(vm);
        bool first = true;
        for (int i = 0; i < parts.Length && !vm.Failed; i++)
        {
            Value part = vm.Cells[parts.Address + i];
            Value value = part.Kind == Kind.Dict ? Dicts.Get(vm, part, "text"u8) : part;
            if (!value.IsStr) continue;
            if (!first) text.Append((byte)'\n', false);
            first = false;
            text.Append(value);
        }

        return vm.Failed ? default : text.ToValue();
    }

    private Value ToolCalls(in Value calls)
    {
        var list = new ListBuilder(vm);
        list.Grow(1);
        for (int i = 0; i < calls.Length && vm.Step(); i++)
        {
            Value call = vm.Cells[calls.Address + i];
            Value function = Function(vm, call);
            list.Add(function.Kind == Kind.Dict ? With(call, "function"u8, WithArguments(function)) : call);
        }

        return list.ToValue();
    }

    private Value WithArguments(in Value function)
    {
        Value arguments = Dicts.Get(vm, function, "arguments"u8);
        bool empty = arguments.Kind is Kind.Missing or Kind.None || arguments is { IsStr: true, Length: 0 };
        if (empty) return With(function, "arguments"u8, Dicts.Empty(vm));
        if (!arguments.IsStr || argumentsAsSent) return function;

        // Arguments that are no JSON stay the text that they are.
        return JsonReader.TryRead(vm, vm.Bytes(arguments), out Value parsed) ? With(function, "arguments"u8, parsed) : function;
    }

    /// <summary>The dict with another value for a key, at its place or at the end.</summary>
    private Value With(in Value dict, ReadOnlySpan<byte> name, in Value value)
    {
        var pairs = new ListBuilder(vm);
        bool found = false;
        for (int i = 0; i < dict.Length && !vm.Failed; i++)
        {
            Value key = Dicts.Key(vm, dict, i);
            bool same = key.IsStr && vm.Bytes(key).SequenceEqual(name);
            found |= same;
            Add(ref pairs, key, same ? value : Dicts.ValueAt(vm, dict, i));
        }

        if (!found) Add(ref pairs, vm.NewText(name, false), value);
        return vm.Failed ? default : Dicts.FromPairs(vm, ref pairs);
    }

    /// <summary>
    /// Puts a mark behind the content of the last message (of a list: behind the last text); false if there is no
    /// text to put it behind. <paramref name="content"/> is the text without the mark.
    /// </summary>
    public bool TryMark(ref Value messages, ReadOnlySpan<byte> mark, out Value content)
    {
        content = default;
        if (messages.Length == 0 || vm.Failed) return false;
        int at = messages.Address + messages.Length - 1;
        Value message = vm.Cells[at];
        Value whole = Dicts.Get(vm, message, "content"u8);
        if (whole.IsStr)
        {
            content = whole;
            whole = vm.Concat(whole, vm.NewText(mark, false));
        }
        else if (whole.Kind == Kind.List)
        {
            whole = MarkParts(whole, mark, ref content);
        }

        if (content.IsMissing || vm.Failed) return false;
        vm.Cells[at] = With(message, "content"u8, whole);
        return !vm.Failed;
    }

    private Value MarkParts(in Value parts, ReadOnlySpan<byte> mark, ref Value content)
    {
        int last = parts.Length - 1;
        for (; last >= 0; last--)
        {
            Value part = vm.Cells[parts.Address + last];
            if (part.Kind == Kind.Dict && Dicts.Get(vm, part, "text"u8) is { IsStr: true } text)
            {
                content = text;
                break;
            }
        }

        var list = new ListBuilder(vm);
        for (int i = 0; i < parts.Length && !vm.Failed; i++)
        {
            Value part = vm.Cells[parts.Address + i];
            list.Add(i == last ? With(part, "text"u8, vm.Concat(content, vm.NewText(mark, false))) : part);
        }

        return list.ToValue();
    }
}
